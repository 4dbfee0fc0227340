"""Licences of SPDX 3.0: elements of their own, tied to packages by relationships."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from connectors.json_object import JsonObject

_RELATIONS = ("hasDeclaredLicense", "hasConcludedLicense")
_EXPRESSION = "simplelicensing_licenseExpression"
_SETS = {"expandedlicensing_ConjunctiveLicenseSet": " AND ", "expandedlicensing_DisjunctiveLicenseSet": " OR "}
_NOTHING = ("NoAssertionLicense", "NoneLicense", "NOASSERTION", "NONE")
_MAX_DEPTH = 20
_MAX_MEMBERS = 100
_MAX_LENGTH = 2000


def licences_by_subject(relations: Iterable[JsonObject], elements: Mapping[str, JsonObject]) -> Mapping[str, list[str]]:
    """Licence expressions by the reference of what they are of, declared ones before concluded ones."""
    expressions = _Expressions(elements)
    found: dict[str, dict[str, list[str]]] = {}
    for node in relations:
        kind, subject, licences = (node.value.get(key) for key in ("relationshipType", "from", "to"))
        if kind not in _RELATIONS or not isinstance(subject, str):
            continue
        for each in licences if isinstance(licences, list) else [licences]:
            text = expressions.of(each)
            if text:
                found.setdefault(subject.strip(), {}).setdefault(kind, []).append(text)
    return {
        subject: [text for kind in _RELATIONS for text in by_kind.get(kind, ())] for subject, by_kind in found.items()
    }


class _Expressions:
    """Elements as SPDX licence expressions, each put together once: one that is part of itself ends there."""

    def __init__(self, elements: Mapping[str, JsonObject]) -> None:
        self._elements = elements
        self._known: dict[str, str] = {}
        self._depth = 0

    def of(self, ref: Any, inner: bool = False) -> str:
        """The expression of a reference; empty for none, and for what is no reference."""
        if not isinstance(ref, str) or ref.strip().endswith(_NOTHING):
            return ""
        ref = ref.strip()
        if ref not in self._known:
            if self._depth > _MAX_DEPTH:
                return ""
            self._known[ref] = ""
            self._depth += 1
            self._known[ref] = self._put_together(ref)[:_MAX_LENGTH]
            self._depth -= 1
        text = self._known[ref]
        node = self._elements.get(ref)
        joined = inner and node is not None and node.value.get("type") in _SETS and " " in text
        return f"({text})" if joined else text

    def _put_together(self, ref: str) -> str:
        last = ref.rpartition("/")[2]
        node = self._elements.get(ref)
        if node is None:
            return last  # a licence of SPDX's own list, by its address
        kind = node.value.get("type")
        if kind in _SETS:
            members = node.value.get("expandedlicensing_member")
            first = members[:_MAX_MEMBERS] if isinstance(members, list) else []
            return _SETS[kind].join(filter(None, (self.of(each, inner=True) for each in first)))
        if kind == "expandedlicensing_OrLaterOperator":
            return f"{self.of(node.value.get('expandedlicensing_subjectLicense'))}+"
        if kind == "expandedlicensing_WithAdditionOperator":
            licence, addition = (
                self.of(node.value.get(f"expandedlicensing_subject{end}")) for end in ("ExtendableLicense", "Addition")
            )
            return f"{licence} WITH {addition}"
        stated = node.value.get(_EXPRESSION) or node.value.get("name")
        text = stated.strip() if isinstance(stated, str) else ""
        return "" if text in _NOTHING else text or last
