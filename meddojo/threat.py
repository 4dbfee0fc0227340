"""Threat intelligence: who attacks with what.

Sections are those of OASIS *STIX Version 2.1*.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

HEALTHCARE = "healthcare"
"""The sector every device of the inventory stands in, in the words of STIX's ``industry-sector-ov`` (section 10.11)."""


@dataclass(frozen=True, slots=True)
class Threat:
    """One STIX domain object (section 4): malware, a campaign, a technique, a vulnerability as others see it ...

    Attributes
    ----------
    id
        STIX identifier, the same wherever the object is published.
    kind
        STIX type: ``malware``, ``attack-pattern``, ``intrusion-set`` ...
    modified
        Which version of the object this is; the newest counts.
    source
        The catalogue it belongs to, by the name people know: ``ATT&CK for ICS``.
    external_ids
        How that catalogue and others number it: ``T0866``, ``S0604``, ``CVE-2015-5374``.
    cves
        CVE ids it is about or names in its texts.
    sectors
        Sectors it is about or names in its texts, in lower case.
    revoked
        Withdrawn or deprecated by its authors.
    """

    id: str
    kind: str
    name: str
    modified: datetime
    source: str = ""
    description: str = ""
    external_ids: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()
    cves: tuple[str, ...] = ()
    sectors: tuple[str, ...] = ()
    url: str = ""
    revoked: bool = False

    @property
    def label(self) -> str:
        """As a person would write it: ``Industroyer (S0604)``, ``ATT&CK for ICS T0866 Exploitation of ...``."""
        number = self.external_ids[0] if self.external_ids else ""
        if self.kind == "attack-pattern":
            return " ".join(filter(None, (self.source, number, self.name)))
        return f"{self.name} ({number})" if number and number != self.name else self.name


@dataclass(frozen=True, slots=True)
class ThreatRelation:
    """One STIX relationship (section 5.1): `source_id` `kind` `target_id`, as in "Industroyer uses T0866".

    Attributes
    ----------
    kind
        ``uses``, ``targets``, ``exploits``, ``attributed-to``, ``indicates``, ``mitigates`` ...
    cves
        CVE ids its description names.
    """

    id: str
    kind: str
    source_id: str
    target_id: str
    modified: datetime
    description: str = ""
    cves: tuple[str, ...] = ()
    revoked: bool = False
