"""Words in product names, by what they say; extend these lists when a match goes wrong."""

from __future__ import annotations

STOP_WORDS = frozenset(
    "the of and or a an all any with without for in on by to from used including includes incl only certain version "
    "versions based products product models model devices device build builds family families variants variant".split()
)
"""Say nothing about which product it is."""

DESCRIPTORS = frozenset(
    "patient monitor monitoring bedside worn wearable handheld portable mobile wireless wlan system equipment pump "
    "infusion syringe insulin medical hospital clinical ultrasound imaging scanner ventilator anesthesia defibrillator "
    "programmer workstation station unit software firmware application app android ios server client platform energy "
    "network fetal maternal cardiograph ecg electrocardiograph resting icu ccu vital signs sign device transmitter "
    "receiver reader controller remote cart machine series delivery display "
    "hemodialysis dialysis analyzer analyser blood gas glucose meter viewer".split()
)
"""Kinds of device: may be left out of a name, but tell siblings of one brand apart."""

VARIANTS = frozenset(
    "plus pro professional select elite expert advanced advance premium lite mini max maxi xl xt se ii iii iv ultra "
    "compact prime quantum gold duo junior neo next plus2 wave air edge es sp hd".split()
)
"""Name a neighbouring model: their presence on one side only is a reason for doubt."""

TAIL = frozenset("with for in on used integrated running without enabled connected where when".split())
"""What follows qualifies the product and does not name it."""
