"""Words of descriptions: what is never a product's name, and what says that a product is spared."""

from __future__ import annotations

import re

COMMON_WORDS = frozenset(
    "xss site cross html vulnerability sql cve id http https scripting php url web csrf buffer dos stored cvss "
    "javascript av ac pr ui score vector improper code injection request file this supported execution bug information "
    "null confidentiality integrity availability forgery ssl tls use denial privilege memory can stack free zdi plugin "
    "cvss3.0 cvss3.1 post xml page get tcp udp link reflected uri dll path elevation input read disclosure during "
    "corruption authentication heap integer overflow generation however urls untrusted bound incorrect neutralization "
    "authorization write ssrf format xxe exploitation missing bypass upload traversal cwe login password insufficient "
    "difficult issue sensitive dir reference external validation exposure exploit trace unrestricted insecure parsing "
    "rce json ftp dns ajax cgi com org exe asp jsp row user users base api they existing cves arbitrary remote "
    "command out ip os pdf cpu usb cli jpeg bios string function attack attacker token session cookie mitm note "
    "reject rejected disputed unspecified multiple successful due".split()
)
"""Capitalised in descriptions, and no product's: from the 420 words in most phrases among 50,000 descriptions."""

_ARTICLES = r"\s+(?:(?:the|a|an|certain|some|any)\s+)*$"
_OTHER_THINGS = "plug-?in|extension|add-?on|module|driver|client|app|application|integration|software|tool|connector"
_BESIDE = (
    "unlike",
    "similar to",
    "compatible with",
    "used (?:with|alongside)",
    "works? with",
    rf"(?:{_OTHER_THINGS}|interface|support|bridge|replacement)s? (?:for|to|with)",
    r"integrat\w+ (?:with|into)",
    r"connect\w* (?:to|with)",
    r"(?:communicat|interact|interoperab)\w+ with",
    "(?:designed|intended|meant) for",
    "for use (?:with|on|in)",
    "(?:running|runs|hosted|installed) on",
)
_SPARED = (
    r"not (?:affect|impact)\w*",
    "other than",
    "except(?: for)?",
    "excluding",
    r"(?:does|do) not apply to",
    "different from",
    "not (?:present )?in",
)

BESIDE_BEFORE = re.compile(rf"\b(?:{'|'.join(_BESIDE)}){_ARTICLES}", re.I)
"""Leads up to a product that something else is used with."""

BESIDE_AFTER = re.compile(rf"^\s+(?:{_OTHER_THINGS}|theme|bridge)s?\b(?<!software)(?<!application)", re.I)
"""Makes a product's name the name of something made for it: ``DeltaV plugin``."""

SPARED_BEFORE = re.compile(rf"\b(?:{'|'.join(_SPARED)}){_ARTICLES}", re.I)
"""Leads up to a product that does not have the vulnerability."""

SPARED_AFTER = re.compile(
    r"^[^.;\d]{0,40}?\b(?:is|are|was|were) "
    r"(?:not (?:\w+ ){0,2}(?:affected|vulnerable|impacted|susceptible)|unaffected)",
    re.I,
)
"""Follows a product that does not have the vulnerability."""
