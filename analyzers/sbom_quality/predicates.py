"""What a rule can ask of a document, of a component, or of how it is tied to the others: one small function each.

A predicate answers with what is wrong, for a person to read; an empty text means that nothing is. What counts as an
answer at all is decided in one place, `_said`: a field that is empty or a stopgap ("unknown", "n/a") says nothing.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from meddojo.sbom import Component, Sbom

NOT_STATED = "not stated"
LONGEST_QUOTE = 60

_STOPGAPS = frozenset("unknown noassertion none null n/a na undefined unspecified not-provided tbd todo - ?".split())
_CONTACT = re.compile(r"[^\s@<>()]+@[^\s@<>()]+\.\w{2,}|https?://[^\s/]+\.\w+", re.IGNORECASE)
_FORMAT = re.compile(r"(\w+) (\d+(?:\.\d+)*)")
_TOOL_VERSION = re.compile(r"[\s/@_:(-]v?\d+(?:\.\w+)*")
_URI = re.compile(r"[a-z][a-z0-9+.-]+:\S+", re.IGNORECASE)
_DIGEST = re.compile(r"[0-9a-fA-F]{32,128}")
_CHECKSUMS = ("adler32", "crc32", "crc32c")
_LICENCE_TOKEN = re.compile(r"\s*([()]|[A-Za-z0-9.:+-]+)")
_END_OF_SUPPORT = re.compile(r"(endof(support|life|securitysupport)|supportend)(date)?|supporteduntil|eo[ls](date)?")
_OPERATORS = ("AND", "OR", "WITH")
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]+")

INDUSTRY_FORMATS = ("CycloneDX", "SPDX")
# TR-03183-2 v2.1.0, section 4
BSI_FORMATS: Mapping[str, tuple[int, ...]] = {"CycloneDX": (1, 6), "SPDX": (3, 0, 1)}
# TR-03183-2 v2.1.0, section 5.2.2, table 3; the names are BSI's own CycloneDX property taxonomy.
BSI_PROPERTIES: Mapping[str, tuple[str, ...]] = {
    "bsi:component:executable": ("executable", "non-executable"),
    "bsi:component:archive": ("archive", "no archive"),
    "bsi:component:structured": ("structured", "unstructured"),
}


@dataclass(frozen=True, slots=True)
class Relations:
    """How the components of one document are tied together, by `Component.ref`.

    Attributes
    ----------
    tied
        Whatever stands at either end of a dependency.
    included
        Whatever something else needs or contains.
    reached
        The root, and whatever a path leads to from it; empty without a root.
    whole
        Whether the document declares all of it complete, by its root.
    judged
        Of what it says whether its dependencies are all listed: yes, no, or nobody knows.
    """

    root: str
    tied: frozenset[str]
    included: frozenset[str]
    reached: frozenset[str]
    whole: bool
    judged: frozenset[str]

    @classmethod
    def of(cls, sbom: Sbom) -> Relations:
        """Read them off a document; cycles do no harm."""
        needs: dict[str, list[str]] = {}
        for edge in sbom.dependencies:
            needs.setdefault(edge.source, []).append(edge.target)
        included = frozenset(edge.target for edge in sbom.dependencies)
        reached, waiting = set[str](), [sbom.root] if sbom.root else []
        while waiting:
            ref = waiting.pop()
            if ref not in reached:
                reached.add(ref)
                waiting += needs.get(ref, ())
        judged = frozenset((*sbom.complete, *sbom.incomplete))
        whole = bool(sbom.root) and sbom.root in sbom.complete
        return cls(sbom.root, included | needs.keys(), included, frozenset(reached), whole, judged)


def plain(text: str, longest: int = LONGEST_QUOTE) -> str:
    """Foreign text on one line, without control characters, cut to `longest` characters."""
    line = " ".join(_UNPRINTABLE.sub(" ", text).split())
    return line if len(line) <= longest else f"{line[: longest - 1]}…"


def _said(text: str) -> bool:
    return bool(text.strip()) and text.strip().lower().replace(" ", "-") not in _STOPGAPS


def _text(text: str) -> str:
    """What is wrong with a field that has to say something."""
    if _said(text):
        return ""
    return f"stated as '{plain(text)}', which says nothing" if text.strip() else NOT_STATED


def _any(values: Iterable[str]) -> str:
    given = tuple(values)
    return "" if any(map(_said, given)) else _text(given[0] if given else "")


def _or_unknown(text: str, name: str, component: Component) -> str:
    """As `_text`, where a document may say that its author does not know."""
    return "" if text.strip() or name in component.unknown else NOT_STATED


def _uri(values: Iterable[str]) -> str:
    given = [value for value in values if _said(value)]
    if any(map(_URI.fullmatch, given)):
        return ""
    return f"'{plain(given[0])}' is no URI" if given else NOT_STATED


def _contact(*values: str) -> str:
    given = [value for value in values if _said(value)]
    if any(map(_CONTACT.search, given)):
        return ""
    return f"'{plain(given[0])}' has neither an e-mail address nor a URL" if given else NOT_STATED


def _property(component: Component, name: str) -> str:
    return next((value for key, value in component.properties if key.strip().lower() == name), "")


# ---- documents ----


def _format(sbom: Sbom) -> str:
    name = sbom.format.partition(" ")[0]
    return "" if name in INDUSTRY_FORMATS else f"{plain(sbom.format)} is a format of one tool only"


def _format_version(sbom: Sbom) -> str:
    return "" if _FORMAT.fullmatch(sbom.format) else f"'{plain(sbom.format)}' names no version"


def _bsi_format(sbom: Sbom) -> str:
    stated = _FORMAT.fullmatch(sbom.format)
    least = BSI_FORMATS.get(stated[1]) if stated else None
    if stated and least and tuple(map(int, stated[2].split("."))) >= least:
        return ""
    wanted = " or ".join(f"{name} {'.'.join(map(str, version))}" for name, version in BSI_FORMATS.items())
    return f"{plain(sbom.format)}, where {wanted} is the oldest allowed"


def _readable(sbom: Sbom) -> str:
    more = len(sbom.problems) - 1
    if more < 0:
        return ""
    return plain(sbom.problems[0], 200) + (f"; and {more:,} more" if more else "")


def _tool_version(sbom: Sbom) -> str:
    if any(map(_TOOL_VERSION.search, sbom.tools)):
        return ""
    return f"'{plain(sbom.tools[0])}' names no version" if sbom.tools else NOT_STATED


def _version(sbom: Sbom) -> str:
    """SPDX has no field for it: there the namespace is of this very version (2.3, clause 6.5)."""
    return "" if sbom.version or (sbom.format.startswith("SPDX") and sbom.identifier) else NOT_STATED


DOCUMENT: Mapping[str, Callable[[Sbom], str]] = {
    "author": lambda sbom: _any(sbom.authors),
    "author-contact": lambda sbom: _contact(*sbom.authors, *sbom.contacts),
    "timestamp": lambda sbom: "" if sbom.created else NOT_STATED,
    "root": lambda sbom: "" if sbom.root else NOT_STATED,
    "tool": lambda sbom: _any(sbom.tools),
    "tool-version": _tool_version,
    "lifecycle": lambda sbom: _text(sbom.lifecycle),
    "format": _format,
    "format-version": _format_version,
    "bsi-format": _bsi_format,
    "readable": _readable,
    "identifier": lambda sbom: _uri((sbom.identifier,)),
    "version": _version,
    "signature": lambda sbom: "" if sbom.signed else "no signature in the document (one kept beside it is not seen)",
}
"""Asked once of the document as a whole."""


# ---- components ----


def _hash_of(component: Component, *algorithms: str) -> str:
    """What is wrong, unless there is a digest by one of `algorithms`; none given means any but a mere checksum."""
    seen = []
    for stated in (*component.hashes, *component.distribution_hashes):
        name, _, digest = stated.rpartition(":")
        algorithm = re.sub(r"[^a-z0-9]", "", name.lower())
        fits = algorithm in algorithms if algorithms else bool(algorithm) and algorithm not in _CHECKSUMS
        if fits and _DIGEST.fullmatch(digest.strip()) and (algorithm != "sha512" or len(digest.strip()) == 128):
            return ""
        seen.append(name or "no algorithm")
    return f"only {plain(', '.join(seen))}" if seen else NOT_STATED


def _hash_value(component: Component) -> str:
    stated = (*component.hashes, *component.distribution_hashes)
    digests = (each.rpartition(":")[2].strip() for each in stated)
    return "" if any(map(_DIGEST.fullmatch, digests)) else NOT_STATED


def is_licence_expression(text: str) -> bool:
    """Whether a text has the form of an SPDX licence expression (SPDX 2.3, annex D).

    Whether its identifiers are on the licence list is not looked up.
    """
    depth, operand, position = 0, False, 0
    while position < len(text.rstrip()):
        token = _LICENCE_TOKEN.match(text, position)
        if token is None:
            return False
        position, word = token.end(), token[1]
        if word.upper() in _OPERATORS or word == ")":
            if not operand:
                return False
            depth -= word == ")"
            operand = word == ")"
        elif operand:
            return False
        else:
            depth += word == "("
            operand = word != "("
        if depth < 0:
            return False
    return operand and depth == 0


def _licence_identifier(component: Component) -> str:
    if fault := _any(component.licences):
        return fault
    names = [licence for licence in component.licences if _said(licence) and not is_licence_expression(licence)]
    return f"'{plain(names[0])}' is a name, not an SPDX identifier or expression" if names else ""


def end_of_support_remark(component: Component) -> str:
    """What a document says about the end of support, where it gives no date: ``Open source``, ``unknown``."""
    for name, value in component.properties:
        if _END_OF_SUPPORT.fullmatch(re.sub(r"[^a-z]", "", name.rpartition(":")[2].lower())):
            return value.strip()
    return ""


def _end_of_support(component: Component) -> str:
    return "" if component.end_of_support else _text(end_of_support_remark(component))


def _end_of_support_date(component: Component) -> str:
    if component.end_of_support:
        return ""
    remark = end_of_support_remark(component)
    return f"stated as '{plain(remark)}', which is no date" if _said(remark) else _text(remark)


def _allowed(name: str) -> Callable[[Component], str]:
    def fault(component: Component) -> str:
        value = _property(component, name).strip()
        if value in BSI_PROPERTIES[name]:
            return ""
        return f"'{plain(value)}' is none of {', '.join(BSI_PROPERTIES[name])}" if value else NOT_STATED

    return fault


def _filename(component: Component) -> str:
    if "/" in component.filename or "\\" in component.filename:
        return f"'{plain(component.filename)}' is a path"
    return _text(component.filename)


COMPONENT: Mapping[str, Callable[[Component], str]] = {
    "name": lambda component: _text(component.name),
    "supplier": lambda component: _text(component.supplier),
    "supplier-or-unknown": lambda component: _or_unknown(component.supplier, "supplier", component),
    "supplier-contact": lambda component: _contact(component.supplier, *component.contacts),
    "version": lambda component: _text(component.version),
    "version-or-unknown": lambda component: _or_unknown(component.version, "version", component),
    "identifier": lambda component: _any((component.purl, component.cpe)),
    "licence": lambda component: _any(component.licences),
    "licence-identifier": _licence_identifier,
    "hash": _hash_of,
    "hash-value": _hash_value,
    "hash-sha512": lambda component: _hash_of(component, "sha512"),
    "support-level": lambda component: _text(component.support_level),
    "end-of-support": _end_of_support,
    "end-of-support-date": _end_of_support_date,
    "filename": _filename,
    "distribution": lambda component: _uri(component.distribution_urls),
    "executable": _allowed("bsi:component:executable"),
    "archive": _allowed("bsi:component:archive"),
    "structured": _allowed("bsi:component:structured"),
}
"""Asked of each component by itself."""


# ---- dependencies ----


def _included(component: Component, relations: Relations) -> str:
    """Without a root the topmost components are included in nothing, so either end of a relationship will do."""
    ties = relations.included if relations.root else relations.tied
    return "" if component.ref in ties or component.ref == relations.root else "nothing says what includes it"


def _reached(component: Component, relations: Relations) -> str:
    if not relations.root:
        return "the document does not say what it describes"
    return "" if component.ref in relations.reached else "no path leads to it from what the document describes"


def _completeness(component: Component, relations: Relations) -> str:
    said = relations.whole or component.ref in relations.judged
    return "" if said else "nothing says whether its dependencies are all listed"


DEPENDENCY: Mapping[str, Callable[[Component, Relations], str]] = {
    "included": _included,
    "reached": _reached,
    "completeness": _completeness,
}
"""Asked of each component and its ties to the others."""
