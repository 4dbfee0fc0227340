"""What a document has to fulfil before it is taken: the ``options`` of a CSAF feed."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Mapping
from dataclasses import dataclass, fields, replace
from enum import StrEnum
from typing import Any, NoReturn

from meddojo.advisory import Advisory
from meddojo.errors import ConfigError


class Check(StrEnum):
    """How strictly a hash or signature file is asked for.

    REQUIRED quarantines a document without one; WHEN_PRESENT only one that does not fit; OFF looks at none.
    """

    REQUIRED = "required"
    WHEN_PRESENT = "when-present"
    OFF = "off"


class Label(StrEnum):
    """Traffic Light Protocol (CSAF 2.0 section 3.2.1.5.2; 2.1 follows TLP 2.0, where WHITE is called CLEAR)."""

    UNLABELED = "UNLABELED"
    CLEAR = "CLEAR"
    GREEN = "GREEN"
    AMBER = "AMBER"
    AMBER_STRICT = "AMBER+STRICT"
    RED = "RED"

    @classmethod
    def parse(cls, text: str) -> Label | None:
        """Read a label; a document or feed without one is UNLABELED. None when unknown."""
        name = text.strip().upper().removeprefix("TLP:")
        name = {"": "UNLABELED", "WHITE": "CLEAR"}.get(name, name)
        return cls(name) if name in list(cls) else None


@dataclass(frozen=True, slots=True)
class Policy:
    """The options of one feed.

    Attributes
    ----------
    signature, hash
        What is asked of the OpenPGP signature and the SHA-256 or SHA-512 file beside each document.
    tlp
        Labels of the documents that are taken.
    """

    signature: Check = Check.REQUIRED
    hash: Check = Check.REQUIRED
    tlp: frozenset[Label] = frozenset({Label.UNLABELED, Label.CLEAR})

    def refusal(self, advisory: Advisory) -> str:
        """Why the label of an advisory keeps it out; empty if it does not."""
        if Label.parse(advisory.tlp) in self.tlp:
            return ""
        return f"it is labelled TLP:{advisory.tlp[:20]}, which options.tlp does not list"


PROVIDER_POLICY = Policy()
"""For providers on the web: only what is proven and public."""

FOLDER_POLICY = Policy(Check.WHEN_PRESENT, Check.WHEN_PRESENT, frozenset(Label))
"""For files somebody put there: whatever their label, and without signatures unless they lie beside."""


def read_policy(options: Mapping[str, Any], default: Policy) -> Policy:
    """Apply the options of a feed to the policy of its kind of source.

    Raises
    ------
    ConfigError
        On an unknown option or value, naming the nearest.
    """
    known = [field.name for field in fields(Policy)]
    for name in options:
        if name not in known:
            _refuse(f"options.{name} is no option of a CSAF feed", name, known)
    changes: dict[str, Any] = {name: _check(name, options[name]) for name in ("signature", "hash") if name in options}
    if "tlp" in options:
        changes["tlp"] = _labels(options["tlp"])
    return replace(default, **changes)


def _check(name: str, value: Any) -> Check:
    if value in list(Check):
        return Check(value)
    _refuse(f"options.{name} is {value!r}", value, list(Check))


def _labels(value: Any) -> frozenset[Label]:
    """A list of labels; text with commas between them, as it comes from an environment variable, is one too."""
    names = value.split(",") if isinstance(value, str) else value
    if not isinstance(names, list) or not names:
        raise ConfigError("options.tlp is no list of labels", 'write it like tlp = ["CLEAR", "GREEN"]')
    labels = set()
    for name in names:
        label = Label.parse(name) if isinstance(name, str) and name.strip() else None
        if label is None:
            _refuse(f"options.tlp lists {name!r}", name, [*Label, "WHITE"])
        labels.add(label)
    return frozenset(labels)


def _refuse(problem: str, value: Any, valid: Collection[str]) -> NoReturn:
    near = difflib.get_close_matches(str(value).upper(), [name.upper() for name in valid], n=1)
    hint = next((f"did you mean {str(name)!r}?" for name in valid if near and name.upper() == near[0]), "")
    raise ConfigError(problem, hint or f"valid: {', '.join(valid)}")
