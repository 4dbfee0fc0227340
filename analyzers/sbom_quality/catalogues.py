"""The catalogues: what a standard asks of an SBOM, as rules in data (``*.toml`` beside this module).

A rule names the predicate that decides it (`analyzers.sbom_quality.predicates`) and carries two examples of an SBOM,
one that fulfils it and one that does not; the tests judge both.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from enum import StrEnum
from functools import cache
from importlib.resources import files
from typing import Any

from analyzers.sbom_quality.predicates import COMPONENT, DEPENDENCY, DOCUMENT
from meddojo.errors import ConfigError
from meddojo.severity import Severity

NAMES = ("ntia", "cisa-2025", "cisa-2026", "fda", "bsi")
EVERY = "all"
EXAMPLES = ("good", "bad", "names")
"""Keys of a rule that are examples: an SBOM that passes, one that does not, and the components it fails for."""


class Level(StrEnum):
    """What a rule is asked of."""

    DOCUMENT = "document"
    COMPONENT = "component"
    DEPENDENCY = "dependency"


_PREDICATES: Mapping[Level, Mapping[str, object]] = {
    Level.DOCUMENT: DOCUMENT,
    Level.COMPONENT: COMPONENT,
    Level.DEPENDENCY: DEPENDENCY,
}


@dataclass(frozen=True, slots=True)
class Rule:
    """One thing a standard asks.

    Attributes
    ----------
    source
        Section of the standard, or the name of the element where no section is numbered.
    check
        Name of the predicate in the table of `level`.
    weight
        Share of the score, at least 1.
    hint
        Where the answer belongs in CycloneDX and SPDX.
    blocking
        A submission would be sent back for it.
    severity
        Of the finding about it; only blocking rules make findings.
    parts_only
        Asked of what the document lists, not of what it describes (the root).
    except_kinds
        Kinds of components (`meddojo.sbom.Component.kind`) it is not asked of.
    """

    id: str
    title: str
    source: str
    level: Level
    check: str
    weight: int
    hint: str
    blocking: bool = False
    severity: Severity = Severity.INFO
    parts_only: bool = False
    except_kinds: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Catalogue:
    """The rules of one edition of a standard.

    Attributes
    ----------
    family
        What its editions have in common: ``cisa``.
    status
        ``final``, ``draft``, ``superseded``, with what a reader has to know about it.
    not_checked
        What it asks beyond these rules, and why it is not judged.
    """

    name: str
    family: str
    title: str
    status: str
    url: str
    rules: tuple[Rule, ...]
    not_checked: tuple[str, ...] = ()


def selected(name: str) -> tuple[Catalogue, ...]:
    """The catalogue called `name`, all editions of a family, or all there are.

    Raises
    ------
    ConfigError
        If there is none of that name.
    """
    found = tuple(each for each in map(catalogue, NAMES) if name in (EVERY, each.name, each.family))
    if not found:
        families = dict.fromkeys(catalogue(each).family for each in NAMES)
        known = ", ".join(dict.fromkeys((*families, *NAMES, EVERY)))
        raise ConfigError(f"no catalogue is called {name!r}", f"known: {known}")
    return found


@cache
def catalogue(name: str) -> Catalogue:
    """Read one of `NAMES`."""
    return read_catalogue(table(name))


def table(name: str) -> dict[str, Any]:
    """The table behind a catalogue, with the examples of its rules."""
    return tomllib.loads(files(__package__).joinpath(f"{name}.toml").read_text("utf-8"))


def read_catalogue(source: Mapping[str, Any]) -> Catalogue:
    """Make a catalogue of its table.

    Raises
    ------
    ValueError
        If a rule names an unknown predicate or key, weighs nothing, or two share an id.
    """
    about = {key: value for key, value in source.items() if key not in ("rule", "except_kinds")}
    rules = tuple(_rule({"except_kinds": source.get("except_kinds", ()), **row}) for row in source["rule"])
    if len({rule.id for rule in rules}) != len(rules):
        raise ValueError(f"{about['name']}: two rules have the same id")
    return Catalogue(**{**about, "not_checked": tuple(about.get("not_checked", ()))}, rules=rules)


def _rule(row: Mapping[str, Any]) -> Rule:
    values = {key: value for key, value in row.items() if key not in EXAMPLES}
    unknown = values.keys() - {each.name for each in fields(Rule)}
    level = Level(row["level"])
    if unknown or row["check"] not in _PREDICATES[level] or row["weight"] < 1:
        raise ValueError(f"rule {row['id']}: an unknown key {sorted(unknown)} or check {row['check']!r}, or no weight")
    return Rule(
        **{
            **values,
            "level": level,
            "severity": Severity(row.get("severity", Severity.INFO)),
            "except_kinds": tuple(row["except_kinds"]),
        }
    )
