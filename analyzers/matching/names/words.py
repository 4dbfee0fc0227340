"""Words in product names, by what they say; extend these lists when a match goes wrong."""

from __future__ import annotations

STOP_WORDS = frozenset(
    "the of and or a an number all any with without for in on by to from used including includes incl only certain "
    "version versions based products product models model devices device build builds family families variants "
    "variant".split()
)
"""Say nothing about which product it is."""

DESCRIPTORS = frozenset(
    "patient monitor monitoring bedside worn wearable handheld portable mobile wireless wlan system equipment "
    "pump infusion syringe insulin medical hospital clinical ultrasound imaging scanner ventilator anesthesia "
    "defibrillator programmer workstation station unit software firmware application app platform energy network "
    "fetal maternal cardiograph ecg electrocardiograph resting icu ccu vital signs sign device transmitter "
    "receiver reader controller cart machine series delivery display hemodialysis dialysis analyzer analyser "
    "blood gas glucose meter telemetry anaesthesia pc hub bed compounder central multiparameter physiological "
    "volumetric enteral ambulatory pacemaker icd implantable mri ct pet spect xray radiography mammography "
    "angiography surgical warmer incubator thermometer oximeter capnograph clinician physician electrosurgical "
    "workplace radiology information center centre switch router plc cpu hmi panel camera recorder nvr dvr ups "
    "ethernet industrial managed unmanaged programmable logic automation safety serial converter module smart "
    "terminal touch video encoder ip engine drive relay inverter thermostat doorphone intercom barcode cardiac "
    "stress testing crrt informatics washer disinfector electronic digital basic scada management measurement "
    "processing".split()
)
"""Kinds of device and words of trade: may be left out of a name, but tell siblings of one brand apart."""

ROLES = frozenset("server client android ios gateway web cloud portal viewer remote".split())
"""Parts of a software suite: where only one name has such a word, it may be another part."""

ACCESSORIES = frozenset(
    "manager package toolkit sdk configurator configuration adapter card interface kit option plugin plug driver "
    "library connector connectivity editor studio builder designer updater update installer database license "
    "charger battery cable dongle printer probe sensor accessory tool utility console dashboard historian api "
    "bootloader simulator engineering runtime".split()
)
"""What goes with a product under its name: on one side only, it is a reason for doubt."""

VARIANTS = frozenset(
    "plus pro professional select elite expert advanced advance premium lite mini max maxi xl xt se ii iii iv "
    "ultra compact prime quantum gold duo junior neo next plus2 wave air edge es sp hd".split()
)
"""Name a neighbouring model: their presence on one side only is a reason for doubt."""

TAIL = frozenset("with for in on used running without enabled connected where when".split())
"""What follows qualifies the product and does not name it."""

BRANDS = frozenset(
    "ability accent accu accutrend achieva acuson advia affiniti agilia airlink aisys alaris alinity allura "
    "apexpro aplio apm apogee aquilion architect artis assurity atellica atlan autopulse avalon avance axc azure "
    "azurion babylog beneheart beneview biograph bispectral bmx bodyguard brightspeed brilliance brivo cadd "
    "carelink carescape carestation centrella centricity centum chek clearvue cmpusermgr cmpwebserver cmt "
    "coaguchek cobas comfort communicator compactlogix composer comserver connectport connex controllogix "
    "controlwave corometrics dash datascope definium deltav desigo dialog dimension diq discovery dreamstation "
    "ecostruxure efficia efr ellipse enet enterprise epiq evera evita exacqvision fabius facslyric factorytalk "
    "fcr flogard flow force fortify freestyle fuji galaxy giraffe guardian guardlogix gutor heartstart hillrom "
    "igs igss ilc immulite incisive infiniti infinity infusomat ingenia innova intellibridge intellispace "
    "intellivue intera intouch irt istat jetwave ktp kvm lifecare lifepak ligasure lightspeed logiq logix logo "
    "lumify lunar mac magelis magnetom mammomat maquet medfusion mei melfa melipc melsec melsoft mendix merlin "
    "metasys mguard micra micrologix minimed multix muse mycarelink mymachine nellcor newport niagara nova novum "
    "nport nucleus opcenter optima outlook oxylog pacsystem pagewriter panda panelview paradigm passport perfusor "
    "perseus plum portserver powerlogic primus prismaflex prismax prodigy proficy profinet progressa propaq "
    "puritan pxc pxie pyxis rapidlab respironics reveal revolution ros rowa rox rslogix sapphire savina scalance "
    "senographe sensis sentron servo sicam sigma signa simatic simocode simotion simplelink sinamic sinumerik "
    "siplus siprotec sitop siveillance somatom sonos sonosite space sparq spectrum stardom stratix suresigns "
    "symbia symbiq symmetra synapse syngo sysmac tasy tbox thingworx trilogy ultimax unity valleylab vantage "
    "venue vereos versana vigileo vijeo vista vivid volumat voluson vxwork webaccess webctrl webserver welch "
    "wincc workbench worx xper ysio zeus zoll".split()
)
"""Names of whole lines of products: agreeing in one says much less than agreeing in a coined name.

Words that stand in five or more different product names of one vendor in CISA's feeds, and brands of medical devices.
"""
