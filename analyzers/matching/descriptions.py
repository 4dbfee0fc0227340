"""Records that name no product: whether the description is about the device."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

from analyzers.matching.index import description_keys, device_keys, phrase_keys
from analyzers.matching.names import ProductMatch, ProductRelation, compare_products
from analyzers.matching.normalise import squash
from analyzers.matching.phrases import Phrase, read_phrases, read_sentences
from analyzers.matching.products import DeviceMatch, judge_version
from analyzers.matching.ranges import cpe_version
from analyzers.matching.vendors import vendor_keys, vendor_phrases
from analyzers.matching.version_phrases import fixed_versions
from analyzers.matching.version_sets import Verdict
from meddojo.device import Device
from meddojo.vulnerability import Vulnerability


class Standing(StrEnum):
    """Where the vendor's name stands, seen from the product's."""

    TOGETHER = "in the same words"
    SENTENCE = "in the same sentence"
    TEXT = "elsewhere in the description"
    ASSIGNER = "as the assigner of the CVE only"


class Agreement(StrEnum):
    """How firmly the product's words agree."""

    FULL = "full"
    MODEL = "model"
    PARTIAL = "partial"


_FULL = frozenset({ProductRelation.EXACT, ProductRelation.IDENTIFIER, ProductRelation.WORDING})
_MODEL = frozenset(
    {
        ProductRelation.MODEL_WITHIN,
        ProductRelation.SERIES,
        ProductRelation.SHORT_FORM,
        ProductRelation.QUALIFIED,
    }
)

DESCRIBED = {
    (Standing.TOGETHER, Agreement.FULL): 0.79,
    (Standing.TOGETHER, Agreement.MODEL): 0.7,
    (Standing.TOGETHER, Agreement.PARTIAL): 0.5,
    (Standing.SENTENCE, Agreement.FULL): 0.7,
    (Standing.SENTENCE, Agreement.MODEL): 0.6,
    (Standing.SENTENCE, Agreement.PARTIAL): 0.4,
    (Standing.TEXT, Agreement.FULL): 0.6,
    (Standing.TEXT, Agreement.MODEL): 0.5,
    (Standing.TEXT, Agreement.PARTIAL): 0.3,
    (Standing.ASSIGNER, Agreement.FULL): 0.6,
    (Standing.ASSIGNER, Agreement.MODEL): 0.5,
    (Standing.ASSIGNER, Agreement.PARTIAL): 0.3,
}

BESIDE = 0.4
"""Factor: the description names the device only as what something else is used with."""

_BESIDE = re.compile(
    r"\b(?:unlike|similar to|compatible with|used (?:with|alongside)|works? with|(?:plug-?ins?|extensions?|add-?ons?|modules?|"
    r"drivers?|clients?|apps?|applications?|integrations?|software|tools?|connectors?|interfaces?|support|bridge) (?:for|to|with)|"
    r"integrat\w+ (?:with|into)|connect\w* (?:to|with)|communicat\w+ with|interact\w* with|interoperab\w+ with|"
    r"replacements? (?:for|of)|(?:designed|intended|meant) for|for use (?:with|on|in)|running on|runs on|hosted on|"
    r"such as|like)\s+(?:(?:the|a|an|certain|some|any)\s+)*$",
    re.I,
)
_SPARED_BEFORE = re.compile(
    r"\b(?:not affect\w*|not impact\w*|other than|except(?: for)?|excluding|does not apply to|do not apply to|different from|"
    r"not present in|not in)\s+(?:(?:the|a|an)\s+)*$",
    re.I,
)
_SPARED_AFTER = re.compile(
    r"^[^.;]{0,60}?\b(?:is|are|was|were|does|do) (?:not|unaffected)\b ?(?:known to be )?(?:affected|vulnerable|impacted|susceptible|$)?",
    re.I,
)
_NOT_AFFECTED = re.compile(r"\b(?:not|un)[ -]?(?:affected|vulnerable|impacted|susceptible)\b", re.I)
_OTHER_THING = re.compile(r"^\s+(?:plug-?ins?|extensions?|add-?ons?|themes?|connectors?|integrations?|bridge)\b", re.I)


@dataclass(frozen=True, slots=True)
class Mention:
    """A phrase of a description that may be the device.

    Attributes
    ----------
    beside
        True when the words around it say that the device is not what has the vulnerability.
    """

    phrase: Phrase
    product: ProductMatch
    standing: Standing
    agreement: Agreement
    beside: bool

    @property
    def probability(self) -> float:
        """That the record is about the device, version aside."""
        return DESCRIBED[self.standing, self.agreement] * (BESIDE if self.beside else 1.0)


def match_description(device: Device, record: Vulnerability) -> DeviceMatch | None:
    """Find the device in the description of a record; None when it is not there.

    Vendor and product both have to be named, the vendor at least as the assigner of the record.
    """
    mention = best_mention(device, record)
    if mention is None:
        return None
    text = _version_text(mention, record)
    installed = device.version or mention.product.device_version or cpe_version(device.cpe)
    probability, verdict = mention.probability, Verdict.UNKNOWN
    sentence = "no version is named"
    if text:
        verdict, factor, sentence = judge_version(text, installed)
        probability *= factor
    said = f"the vendor stands {mention.standing}; only the description says so"
    if mention.beside:
        said = f"it may be named only as what something else is used with; {said}"
    reason = f"vendor {device.vendor.strip()!r}, {mention.product.reason}, {sentence}; {said}"
    return DeviceMatch(round(probability, 4), verdict, reason)


def best_mention(device: Device, record: Vulnerability) -> Mention | None:
    """The strongest mention of a device; among equals, one with a version statement."""
    return max(
        _mentions(device, record),
        key=lambda mention: (mention.probability, bool(mention.phrase.version_text), mention.product.reason),
        default=None,
    )


def _mentions(device: Device, record: Vulnerability) -> Iterator[Mention]:
    keys = device_keys(device)
    if keys.isdisjoint(description_keys(record.description)):
        return
    names = _vendor_names(device.vendor)
    sentences = read_sentences(record.description)
    named_in = {number for number, sentence in enumerate(sentences) if _names(sentence, names)}
    assigned = _assigned_by(record.assigner, names)
    for phrase in read_phrases(record.description):
        if keys.isdisjoint(phrase_keys(phrase.text)):
            continue
        product = compare_products(device.vendor, device.model, device.vendor, phrase.text)
        if product is None or _spared(phrase):
            continue
        standing = _standing(phrase, names, named_in, assigned)
        if standing is None:
            continue
        beside = bool(_BESIDE.search(phrase.before) or _OTHER_THING.search(phrase.after))
        yield Mention(phrase, product, standing, _agreement(product.relation), beside)


def _standing(phrase: Phrase, names: frozenset[str], named_in: set[int], assigned: bool) -> Standing | None:
    if _names(phrase.text, names):
        return Standing.TOGETHER
    if phrase.sentence in named_in:
        return Standing.SENTENCE
    if named_in:
        return Standing.TEXT
    return Standing.ASSIGNER if assigned else None


def _agreement(relation: ProductRelation) -> Agreement:
    if relation in _FULL:
        return Agreement.FULL
    return Agreement.MODEL if relation in _MODEL else Agreement.PARTIAL


def _spared(phrase: Phrase) -> bool:
    """Whether the text says that this product does not have the vulnerability."""
    return bool(_SPARED_BEFORE.search(phrase.before)) or (
        _SPARED_AFTER.search(phrase.after) is not None and _NOT_AFFECTED.search(phrase.after[:80]) is not None
    )


def _version_text(mention: Mention, record: Vulnerability) -> str:
    """The statement beside the name, else the only one of the text, else all below the fix."""
    if mention.product.embedded_version and not mention.phrase.version_text:
        return mention.product.embedded_version
    if mention.phrase.version_text:
        return mention.phrase.version_text
    stated = {phrase.version_text for phrase in read_phrases(record.description)} - {""}
    if len(stated) == 1:
        return stated.pop()
    return "" if stated else fixed_versions(" ".join(read_sentences(record.description)))


@lru_cache(maxsize=4096)
def _vendor_names(vendor: str) -> frozenset[str]:
    """Squashed spellings by which a text may name a vendor."""
    spelled = {squash(phrase) for phrase in vendor_phrases(vendor)} | {squash(key) for key in vendor_keys(vendor)}
    return frozenset(name for name in spelled if len(name) > 1)


def _names(text: str, names: frozenset[str]) -> bool:
    """Whether one to four neighbouring words are a vendor's name; short names count in capitals only."""
    words = re.findall(r"[A-Za-z0-9]+", text)
    for length in range(1, 5):
        for start in range(len(words) - length + 1):
            joined = "".join(words[start : start + length])
            if joined.lower() in names and (len(joined) > 3 or joined.isupper()):
                return True
    return False


def _assigned_by(assigner: str, names: frozenset[str]) -> bool:
    """Whether the domain or the short name of the assigner is the vendor's."""
    domain = assigner.rpartition("@")[2].lower()
    labels = domain.split(".")
    return squash(labels[-2] if len(labels) > 1 else domain) in names
