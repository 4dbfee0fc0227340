"""Words in product names, by what they say; extend these lists when a match goes wrong."""

from __future__ import annotations

STOP_WORDS = frozenset(
    "the of and or a an all any with without for in on by to from used including includes incl only certain "
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
    "stress testing crrt informatics washer disinfector electronic digital basic".split()
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
