"""Words that are capitalised in descriptions and say nothing about the product: protocols, weaknesses, languages.

Taken from the 420 words in most phrases among 50,000 descriptions of CVE records; product words among them left out.
"""

from __future__ import annotations

COMMON_WORDS = frozenset(
    "xss site cross html vulnerability sql cve id http https scripting php url web csrf buffer dos stored cvss javascript "
    "av ac pr ui score vector improper code injection request file this supported execution bug information null "
    "confidentiality integrity availability forgery ssl tls use denial privilege memory can stack free zdi plugin cvss3.0 "
    "cvss3.1 post xml page get tcp udp link reflected uri dll path elevation input read disclosure neutralization "
    "corruption authentication heap integer overflow generation during however urls untrusted bound incorrect "
    "authorization write ssrf format xxe exploitation missing bypass upload traversal cwe login password insufficient "
    "difficult issue sensitive dir reference external validation exposure exploit trace unrestricted insecure parsing "
    "rce json javascript ftp dns ajax cgi com org exe asp jsp row user users base api they existing cves arbitrary remote "
    "command out ip os pdf cpu usb cli url jpeg bios string function attack attacker token session cookie mitm note "
    "reject rejected disputed unspecified multiple successful due".split()
)
