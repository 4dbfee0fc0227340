"""Words that tell a product's name from the prose around it; extend these lists when a name goes wrong."""

from __future__ import annotations

NEVER = frozenset(
    "the a an this these those that which if when while where however in on at from by into via affected affects "
    "affecting "
    "multiple several some certain various following all any other both each users user customers attackers attacker "
    "successful exploitation vulnerability vulnerabilities issue issues version versions revision revisions release "
    "releases product products note it its they their is are was were be been has have had may can could would should "
    "will must not no also only use uses using used allow allows allowing contains contain lead leads cause causes "
    "running run runs installed install fixed fix fixes update updates updated upgrade upgrades upgrading "
    "updating patch "
    "patches patched resolved addressed mitigated released available recommends recommend mitigation mitigations "
    "workaround workarounds cve cwe cvss score base vector title description summary overview background impact "
    "solution "
    "remediation severity date published model models sku part number numbers please see refer contact support new "
    "old older newer latest current earlier later prior previous before after since until through than improper "
    "missing "
    "insufficient incorrect inadequate weak hardcoded hard-coded hard-code cross-site cross-sites sql path "
    "heap-based stack-based buffer "
    "out-of-bounds integer uncontrolled unrestricted deserialization authentication authorization cleartext plaintext "
    "reflected stored persistent dom-based unauthenticated authenticated remote local an xss csrf ssrf rce dos xml xxe "
    "url api http https tcp udp ip web arbitrary command code execution injection traversal overflow bypass disclosure "
    "escalation privilege elevation exposure denial service validation security multiple unspecified "
    "within does do did there here due because such as so then thus hence specifically potential possible potentially "
    "january february march april june july august september october november december monday tuesday wednesday "
    "thursday friday additionally furthermore moreover likewise additionally recommended known public exploits "
    "yes no none n/a tbd impacted unaffected vulnerable except excluding".split()
)
"""Never part of a name, however they are written; a name ends there."""

JOINERS = frozenset("and or & + / for with by de la von und of".split())
"""May stand between two words of a name, never at its ends."""

ABBREVIATIONS = frozenset("b. st. inc. co. corp. ltd. dr. no. j. s. e. g. h. r. w.".split())
"""End with a full stop that ends no sentence."""

SUFFIXES = frozenset(
    "system systems software firmware server client application app plugin plug-in module modules extension "
    "library package "
    "pump pumps monitor monitors device devices platform controller gateway router switch camera cameras "
    "workstation unit units suite "
    "portal scanner viewer hub analyzer ventilator ventilators transmitter programmer instrument instruments series "
    "family theme framework kernel driver engine agent tool toolkit sdk cms editor desktop mobile appliance console "
    "service services component printer printers patient wearable infusion syringe ultrasound imaging medical clinical "
    "telemetry bedside insulin anesthesia delivery kit station stations base cabinet network wireless interface "
    "information management data manager center".split()
)
"""Written small, they still belong to a name that stands before them: ``Alaris infusion pump``."""
