"""What stands beside or instead of versions: conditions, remarks, models, order numbers, components, serial numbers."""

from __future__ import annotations

import re

_VERSION_IN_PARENTHESES = re.compile(
    r"(?:build|bn|rev|release|version|aka version)?[\s.]*[vr]?\d[\w.]*|[a-z]?\d+[a-z]?", re.I
)
_CONDITION = re.compile(
    r"[\s,]+(?:only (?:if|when|affected|with|for)|if|when|where|with|without|using|running|installed|based on"
    r"|on (?:windows|linux|a|the)|for (?:windows|linux|mac|android|ios|use|the)"
    r"|of [a-z]|in (?:non-)?default|that|only when"
    r"|including [a-z]\w*(?: [a-z]\w*)* (?:modules?|stack|server)|and function state|and wonderware|part #)\b.*$",
    re.I,
)
_CONDITION_ITEM = re.compile(
    r"(?:all|any|some|most)\b.*\b(?:operating systems?|windows|linux)\b|.*\bis installed\b|.*\boperating system\b"
    r"|series [a-z](?![\w-])|[- ]*(?:CVE|SSA|ICSA|ICSMA|VDE|RHSA)-\d",
    re.I,
)
_HARMLESS = re.compile(
    r"end[- ]of[- ]life|\beol\b|formerly|former|integrated into|\baka\b|these products are sold|part of|starterkit"
    r"|releases?\b|revision|editions?\b|\bbuild\b|series\)?$|based on fdt"
    r"|^(?:incl|including)\b(?!.*\b(?:modules?|stack|server)\b)|r\d{3}$"
    r"|^all (?:sub|minor )?(?:versions?|models?|variants?|editions?)$|^(?:fixed|patched|resolved) in\b|^both$"
    r"|^(?:both )?inclusive$|^latest(?: version)?$",
    re.I,
)
_EXCLUSION = re.compile(r"exclud|except|prior|\bnot\b|[<>]", re.I)
_NOT_VERSIONS = re.compile(
    r"serial|\bs/?n\b|manufactur|production|shipped|distributed|material dated|numbers? ending|runtime custom"
    r"|lot numbers?\b|batch\b",
    re.I,
)
_EXCEPT = re.compile(r"\s*,?\s+(?:except(?: for)?|other than|apart from|with the exception of)\s+(?P<rest>.+)$", re.I)
_EXCLUDING = re.compile(r"(?:excluding|except(?: for)?|not including)\s+(?P<rest>.+)", re.I)
_PLAIN_LIST = re.compile(r"(?:versions?\s*)?v?\d[\w.]*(?:\s*(?:,\s*and|,|and|or|&|\|)\s*v?\d[\w.]*)*", re.I)

_COMPONENT = re.compile(
    r"^(?P<label>hardware|hw|software|sw|firmware|fw|cpld|fpga|bios|bootloader|part|version|series|revision)\b(?![-/])",
    re.I,
)
_CARRIERS = ("firmware", "fw", "software", "sw", "revision")

_LABEL = re.compile(
    r"\b(?:model|mlfb|order(?:ing)? (?:code|number|no)|part (?:number|no)|comcode|reorder|udi|catalog|type)\b", re.I
)
_MODEL = re.compile(r"\s+(?P<model>(?:model|comcode|mlfb)\s+\w\S*)$", re.I)
_SERIES = re.compile(r"^[\w-]*[A-Z][\w-]*\s*series\b|\b[A-Z][\w-]*-series\b", re.I)
_CODE = re.compile(
    r"^(?:"
    r"[a-z]{3,}[\s-]?\d[\w-]*|[a-z]{2,}\d+[a-z]+\d*"  # HEN32204, MMT-1711
    r"|[a-z]\d+[a-z]+\d+[a-z]+\d+[a-z]*|[a-z]\d+[a-z]+\d+[a-z]*|[a-z]\w*-[a-z]*\d[\w-]*"  # H4W2PER2, LNL-X2210
    r"|\d{4}-[a-z]\w{3,}|\d[a-z]{2,}\d{4,}\w*|\d[a-z]{2}\d{4}-\w+(?:-\w+)*"  # 1783-SAD4T0SBK9, 1SAP500900R0101
    r"|\d{3}-\d*\w*/[\w-]+|\d{3}-\d+[a-z]{2,}|\d{4,}-\d{4}-\d{4}|\d{3}-\d{3}(?:/[\w-]+)?"  # 750-82xx/xxx-xxx
    r"|(?:[a-z]{2,}-)+[a-z\d]*\d[a-z\d]*(?:-[a-z\d]+)*"  # DH-IPC-HDBW23A0RN-ZS
    r")(?: FS:\d+(?: to FS:\d+)?)?$",
    re.I,
)
_NOT_CODE = re.compile(
    r"^v?\d+\.\d|^v\d|\d(?:sp|mp|upd|hf|fp)\d+$|^r\d+-v\d+$|^(?:build|sp|mp|fp|hf|upd|update|patch|hotfix|service"
    r"|rev|revision|release|version|ver|firmware|software|series|ed|edition|frn|fw|sw|january|february|march|april|may"
    r"|june|july|august|september|october|november|december)\b|^(?:sp|mp|fp|hf|upd|fw|frn|sw|rel|rev|ver)\d",
    re.I,
)
_DOTTED = re.compile(r"(?:ver|v)?\.?(?P<version>[rv]?\d+(?:\.(?:\w*\d\w*|x))+)", re.I)
_STATED_VERSION = re.compile(r"^v?\d+(?:\.\w+)*$|\b(?:version|release|ver)\.?\s*[rv]?\d", re.I)
VERSION_WORDS = frozenset(
    "build patch update upd hotfix service pack beta alpha rev revision release version ver edition firmware preview"
    " feature security image software frn rel r2".split()
)
"""Words that belong to a version, not to a name."""

_JOINING = frozenset({"for", "of", "and", "the", "with", "in", "w/", "based", "or", "&", "to", "by"})
_STATEMENT = re.compile(
    r"^(?:see|fixed|none|no|tbd|unknown|not|please|contact|refer|pending|n/a|all|any|every|some"
    r"|no fix|update|upgrade)\b"
    r"|\b(?:is|are|was|has|have|had|been|will|may|can|should)\b|[<>=?]",
    re.I,
)


def without_remarks(text: str) -> tuple[str, list[str]]:
    """Take remarks in parentheses out; leave those that are part of a version or of a range in words."""
    notes: list[str] = []

    def decide(match: re.Match[str]) -> str:
        content = match.group(1).strip()
        attached = match.start() > 0 and text[match.start() - 1] not in " )"
        lowered = content.lower()
        if attached or match.start() == 0 or _RANGE_WORDS.match(lowered):
            return match.group()
        if _VERSION_IN_PARENTHESES.fullmatch(content):
            short = lowered.startswith(("build", "bn")) or (content.isdigit() and len(content) < 4)
            return match.group() if short else " "
        notes.append(content)
        return " "

    bare = re.sub(r"\(([^()]*(?:\([^()]*\)[^()]*)*)\)?", decide, text)
    return bare, notes


_RANGE_WORDS = re.compile(
    r"(?:(?:both )?inclusive|including|included|incl\.?|excluding|excluded|exclusive|excl\.?|(?:but )?not including"
    r"|(?:and |or )?(?:all |any |its )*(?:prior|earlier|previous|older|lower|below|later|newer|above|higher)"
    r"(?: versions?)?|and possibly prior versions)$"
)


def split_condition(text: str) -> tuple[str, list[str]]:
    """A trailing condition (``only with ...``, ``on Windows``), cut off."""
    found = _CONDITION.search(" " + text)
    if not found:
        return text, []
    return (" " + text)[: found.start()].strip(), [found.group().strip(" ,")]


def split_exception(text: str) -> tuple[str, str]:
    """``X except Y`` in two; the second is empty when nothing is excepted."""
    found = _EXCEPT.search(text)
    return (text[: found.start()], found["rest"]) if found else (text, "")


def excluded_versions(note: str) -> str:
    """Versions that a remark takes out: ``excluding 9.4 and 9.5``; empty for any other remark."""
    found = _EXCLUDING.fullmatch(note)
    return found["rest"] if found and is_plain_list(found["rest"]) else ""


def is_plain_list(text: str) -> bool:
    """Whether a text is one version or a list of them, and nothing else."""
    return _PLAIN_LIST.fullmatch(text) is not None


def is_condition(note: str) -> bool:
    """Whether a remark restricts what is affected, rather than explaining it."""
    return (bool(_EXCLUSION.search(note)) and "aka" not in note) or not _HARMLESS.search(note)


def is_condition_item(item: str) -> bool:
    """Whether an item of a list is no version but a condition: an operating system, the number of a CVE."""
    return _CONDITION_ITEM.match(item) is not None


def names_serial_numbers(text: str) -> bool:
    """Whether the text speaks of serial numbers, production or shipping instead of versions."""
    return _NOT_VERSIONS.search(text) is not None


def split_components(text: str) -> tuple[str, list[str]]:
    """Pick the firmware or software where a text gives the versions of several components.

    ``SW: 3.2, HW: all`` is 3.2; the others are conditions, except those that allow everything.
    """
    items = [item.strip() for item in re.split(r"[,;|]|\band\b(?=\s+(?:hardware|firmware|software|hw|fw|sw)\b)", text)]
    labels = [found["label"].lower() if (found := _COMPONENT.match(item)) else "" for item in items]
    if len(items) < 2 or not all(labels) or len(set(labels)) != len(labels) or set(labels) <= {"version", "series"}:
        return text, []
    carrier = next((label for label in _CARRIERS if label in labels), "")
    others = [item for item, label in zip(items, labels, strict=True) if label != carrier]
    conditions = [item for item in others if not re.search(r"[\s:](?:all|any|n/?a|\*)\W*$", item, re.I)]
    return (items[labels.index(carrier)] if carrier else "*"), conditions


def split_model(text: str) -> tuple[str, str]:
    """``v8.x model 35700BAX2`` in version and model; the model is empty when none is named."""
    found = _MODEL.search(text)
    return (text[: found.start()], found["model"]) if found else (text, "")


def is_designation(text: str) -> bool:
    """Whether a text names a model, order number, part, protocol or product rather than a version.

    Asks for positive evidence: the shape of an order number, a word such as *model* or *series*, or a proper name
    (all words begin with a capital letter, or the text is one abbreviation).
    """
    bare = designation_name(re.sub(r"\s*\([^()]*\)", "", text))
    if not bare or _STATEMENT.search(bare) or _STATED_VERSION.search(bare) or named_version(bare):
        return False
    return _is_code(bare) or bool(_LABEL.search(bare)) or bool(_SERIES.search(bare)) or _is_proper_name(bare)


def designation_name(text: str) -> str:
    """A designation without what a list left at its end (``and``, a star)."""
    return re.sub(r",?\s+and$|\s+\*$", "", text.strip(" ,.")).strip(" ,.")


def named_version(text: str) -> str:
    """The dotted version after a product's name (``Advanced Edition V2.8.0.060``); empty when there is none."""
    *name, last = text.split() or [""]
    found = _DOTTED.fullmatch(last)
    letters = [any(sign.isalpha() for sign in word) for word in name]
    return found["version"] if found and name and letters[-1] and all("." not in word for word in name) else ""


def is_code(text: str) -> bool:
    """Whether a text has the shape of a model or order number."""
    return _is_code(text.strip(" ,."))


def _is_code(text: str) -> bool:
    return _CODE.match(text) is not None and _NOT_CODE.search(text) is None


def _is_proper_name(text: str) -> bool:
    words = [word for word in text.split() if word.lower().rstrip(".:") not in _JOINING | VERSION_WORDS]
    if not words or len(words) > 10 or _NOT_CODE.search(text) or re.search(r"\bv?\d+\.\d", text, re.I):
        return False
    named = [word for word in words if re.search(r"[A-Z][A-Za-z]{2,}|[a-z]+[A-Z]|[A-Z]{3,}", word)]
    if len(words) == 1:
        return bool(named) and re.match(r"[A-Za-z]?\d|[A-Z]{1,2}(?:\d+[A-Z]?)?$", text) is None
    lower = [word for word in words if re.fullmatch(r"[a-z]{3,}", word)]
    return bool(named) and len(lower) <= len(named)
