"""Published CVSS vectors as facts, and the environmental vector and score that follow from more metrics."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache

from cvss import CVSS2, CVSS3, CVSS4
from cvss.exceptions import CVSSError

from analyzers.clinical_risk.rules import Fact
from meddojo.severity import CvssScore

_V4_NAMES = {"MC": "MVC", "MI": "MVI", "MA": "MVA"}
# Environmental metrics of whoever rated speak of another place than ours.
_ENVIRONMENTAL = frozenset("CR IR AR MAV MAC MAT MPR MUI MS MC MI MA MVC MVI MVA MSC MSI MSA CDP TD".split())
_V2_IMPACT = {"N": "N", "P": "L", "C": "H"}
_V2_PRIVILEGES = {"N": "N", "S": "L", "M": "H"}


@dataclass(frozen=True, slots=True)
class Vector:
    """A valid published vector.

    Attributes
    ----------
    family
        ``2``, ``3`` or ``4``.
    prefix
        ``CVSS:3.1/``; empty for version 2.
    metrics
        As published, without environmental ones.
    """

    family: str
    prefix: str
    metrics: Mapping[str, str]


def parse(score: CvssScore) -> Vector | None:
    """The vector of a published score; None when it has none that is valid."""
    text = score.vector.strip()
    prefix, _, rest = text.partition("/") if text.startswith("CVSS:") else ("", "", text)
    family = prefix.removeprefix("CVSS:")[:1] or "2"
    metrics = dict(part.split(":", 1) for part in rest.split("/") if ":" in part)
    vector = Vector(
        family,
        f"{prefix}/" if prefix else "",
        {name: value for name, value in metrics.items() if name not in _ENVIRONMENTAL},
    )
    return None if environmental(vector, {}) is None else vector


def environmental(vector: Vector, added: Mapping[str, str]) -> tuple[str, float] | None:
    """Vector and score with environmental metrics.

    Parameters
    ----------
    added
        Metric -> value; impact metrics of version 3 are renamed for version 4.

    Returns
    -------
    tuple or None
        The vector in the order of the standard and the environmental score (CVSS v2.0 section 3.2.3, v3.0 and v3.1
        section 7.3, v4.0 section 8), or None when the vector is invalid.
    """
    names = _V4_NAMES if vector.family == "4" else {}
    metrics = {**vector.metrics, **{names.get(name, name): value for name, value in added.items()}}
    return _scored(vector.family, vector.prefix + "/".join(f"{name}:{value}" for name, value in metrics.items()))


@lru_cache(maxsize=16384)
def _scored(family: str, text: str) -> tuple[str, float] | None:
    try:
        if family == "4":
            four = CVSS4(text)
            return four.clean_vector(), float(four.base_score)
        rating = CVSS3(text) if family == "3" else CVSS2(text)
    except CVSSError:
        return None
    base, temporal, environment = rating.scores()
    score = next(each for each in (environment, temporal, base) if each is not None)
    return rating.clean_vector(), float(score)


def facts(vector: Vector) -> dict[str, Fact]:
    """The published metrics in the names and values of version 3, each with what it was published as."""
    return {
        name: Fact((value,), tuple(f"{each}:{vector.metrics[each]} (published)" for each in published))
        for name, value, published in _translated(vector)
    }


def _translated(vector: Vector) -> Iterator[tuple[str, str, tuple[str, ...]]]:
    """Name and value in version 3, and the metrics of `vector` that say so."""
    own = vector.metrics
    if vector.family == "3":
        yield from ((name, own[name], (name,)) for name in ("AV", "AC", "PR", "UI", "S", "C", "I", "A"))
    elif vector.family == "2":
        yield "AV", own["AV"], ("AV",)
        yield "AC", "L" if own["AC"] == "L" else "H", ("AC",)
        yield "PR", _V2_PRIVILEGES[own["Au"]], ("Au",)
        yield from ((name, _V2_IMPACT[own[name]], (name,)) for name in ("C", "I", "A"))
    else:
        yield "AV", own["AV"], ("AV",)
        # What version 3 calls high complexity, version 4 divides into complexity and requirements.
        yield "AC", "L" if (own["AC"], own["AT"]) == ("L", "N") else "H", ("AC", "AT")
        yield "PR", own["PR"], ("PR",)
        yield "UI", "N" if own["UI"] == "N" else "R", ("UI",)
        beyond = tuple(name for name in ("SC", "SI", "SA") if own[name] != "N")
        yield "S", "C" if beyond else "U", beyond or ("SC", "SI", "SA")
        yield from ((name, own[f"V{name}"], (f"V{name}",)) for name in ("C", "I", "A"))
        if own.get("AU", "X") != "X":
            yield "cvss_automatable", own["AU"], ("AU",)


def exploit_maturity(vector: Vector) -> Fact | None:
    """``attacked`` or ``code`` where the rating says so (E of v2, v3 and v4)."""
    value = vector.metrics.get("E", "X")
    kind = "attacked" if (vector.family, value) == ("4", "A") else "code" if value in _CODE[vector.family] else ""
    return Fact((kind,), (f"E:{value} (published)",)) if kind else None


_CODE = {"2": ("POC", "F", "H"), "3": ("P", "F", "H"), "4": ("P",)}
