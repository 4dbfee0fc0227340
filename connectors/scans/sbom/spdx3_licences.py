"""Licences of SPDX 3.0: elements of their own, tied to packages by relationships."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from connectors.reading import JsonObject

_RELATIONS = ("hasDeclaredLicense", "hasConcludedLicense")
_EXPRESSION = "simplelicensing_licenseExpression"
_SETS = {"expandedlicensing_ConjunctiveLicenseSet": " AND ", "expandedlicensing_DisjunctiveLicenseSet": " OR "}
_NOTHING = ("NoAssertionLicense", "NoneLicense", "NOASSERTION", "NONE")
_MAX_DEPTH = 10
_MAX_LENGTH = 2000


def licences_by_subject(relations: Iterable[JsonObject], elements: Mapping[str, JsonObject]) -> Mapping[str, list[str]]:
    """Licence expressions by the reference of what they are of, declared ones before concluded ones."""
    found: dict[str, dict[str, list[str]]] = {}
    for node in relations:
        kind, subject, licences = (node.value.get(key) for key in ("relationshipType", "from", "to"))
        if kind not in _RELATIONS or not isinstance(subject, str):
            continue
        for each in licences if isinstance(licences, list) else [licences]:
            text = _expression(each, elements, 0) if isinstance(each, str) else ""
            if text:
                found.setdefault(subject.strip(), {}).setdefault(kind, []).append(text)
    return {
        subject: [text for kind in _RELATIONS for text in by_kind.get(kind, ())] for subject, by_kind in found.items()
    }


def _expression(ref: str, elements: Mapping[str, JsonObject], depth: int) -> str:
    """The element as an SPDX licence expression; what is nested too deep is left out."""
    if depth > _MAX_DEPTH or ref.endswith(_NOTHING):
        return ""
    node = elements.get(ref.strip())
    if node is None:
        return ref.strip().rpartition("/")[2]  # a licence of SPDX's own list, by its address
    kind = node.value.get("type")

    def part(key: str) -> str:
        value = node.value.get(key)
        return _expression(value, elements, depth + 1) if isinstance(value, str) else ""

    if kind in _SETS:
        members = node.value.get("expandedlicensing_member")
        parts = [_expression(each, elements, depth + 1) for each in members or () if isinstance(each, str)]
        joined = _SETS[kind].join(text for text in parts if text)[:_MAX_LENGTH]
        return f"({joined})" if depth and len(parts) > 1 else joined
    if kind == "expandedlicensing_OrLaterOperator":
        return f"{part('expandedlicensing_subjectLicense')}+"
    if kind == "expandedlicensing_WithAdditionOperator":
        return f"{part('expandedlicensing_subjectExtendableLicense')} WITH {part('expandedlicensing_subjectAddition')}"
    stated = node.value.get(_EXPRESSION) or node.value.get("name")
    text = stated.strip() if isinstance(stated, str) else ""
    return "" if text in _NOTHING else text or ref.strip().rpartition("/")[2]
