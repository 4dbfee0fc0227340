"""The labelled pairs of ``labelled/*.toml``, their advisories from ../shared/data, and what matching makes of them."""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from analyzers.matching.advisories import match_advisory
from analyzers.matching.candidates import Candidate
from connectors.feeds import csaf
from meddojo.advisory import Advisory
from meddojo.config import FeedConfig
from meddojo.device import Device

FOLDER = Path(__file__).with_name("labelled")
SHARED = Path(__file__).resolve().parents[4] / "shared" / "data"
ARCHIVES = tuple(SHARED / f"cisa_csaf_{name}.jsonl.zst" for name in ("icsma", "icsa"))


@dataclass(frozen=True, slots=True)
class Pair:
    """A device, an advisory, and whether the advisory means the device.

    Attributes
    ----------
    cve
        The vulnerability meant; empty when the label holds for each of the advisory.
    kind
        Why the pair is in the set: ``alias``, ``boundary``, ``neighbour`` ...
    """

    advisory: str
    device: Device
    cve: str
    affected: bool
    kind: str
    why: str

    @property
    def half(self) -> str:
        """``tuning`` or ``test``; all pairs of an advisory lie in the same one."""
        return half_of(self.advisory)


def half_of(advisory: str) -> str:
    """The half an advisory lies in, by the hash of its id."""
    return "tuning" if hashlib.sha256(advisory.encode()).digest()[0] % 2 == 0 else "test"


def missing() -> str:
    """One line that says what is not on this machine; empty if all is there."""
    absent = [str(file) for file in ARCHIVES if not file.is_file()]
    return f"missing: {', '.join(absent)}" if absent else ""


def pairs() -> Sequence[Pair]:
    """Every labelled pair."""
    return [
        _pair(row) for file in sorted(FOLDER.glob("*.toml")) for row in tomllib.loads(file.read_text("utf-8"))["pair"]
    ]


@cache
def advisories() -> Mapping[str, Advisory]:
    """The real advisories by id."""
    return {item.id: item for file in ARCHIVES for item in _read(file)}


def probability(pair: Pair, claims: Iterable[Candidate]) -> float:
    """What is claimed of a pair, 0 to 1: over the vulnerabilities meant, the mean."""
    meant = [each.id for each in advisories()[pair.advisory].vulnerabilities if pair.cve in ("", each.id)]
    claimed = {claim.identifiers[0]: claim.citation.probability for claim in claims}
    return sum(claimed.get(name, 0.0) for name in meant) / len(meant)


def claims_of(pair: Pair) -> list[Candidate]:
    """What the advisory of a pair says about its device."""
    return [each for each in match_advisory(pair.device, advisories()[pair.advisory]) if isinstance(each, Candidate)]


def _read(file: Path) -> Iterator[Advisory]:
    return (item for item in csaf.build(FeedConfig(source=str(file))).update(None) if isinstance(item, Advisory))


def _pair(row: Mapping[str, object]) -> Pair:
    text = {key: str(value) for key, value in row.items()}
    extra = {key: text[key] for key in ("cpe", "udi_di", "serial_number", "model_number") if key in text}
    device = Device("asset", text["vendor"], text["model"], text.get("version", ""), **extra)  # type: ignore[arg-type]
    return Pair(text["advisory"], device, text.get("cve", ""), row["affected"] is True, text["kind"], text["why"])
