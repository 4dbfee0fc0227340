"""Records that name no product: whether the description is about the device."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

from analyzers.matching.index import description_keys, device_keys, phrase_keys
from analyzers.matching.match import Evidence, Kind, Match
from analyzers.matching.names.comparison import ProductMatch, ProductRelation, compare_products
from analyzers.matching.names.normalise import squash
from analyzers.matching.names.vendors import compare_vendors, vendor_keys, vendor_phrases
from analyzers.matching.names.words import DESCRIPTORS, VARIANTS
from analyzers.matching.records.description_words import BESIDE_AFTER, BESIDE_BEFORE, SPARED_AFTER, SPARED_BEFORE
from analyzers.matching.records.phrases import Phrase, read_phrases, read_sentences
from analyzers.matching.records.ranges import cpe_version
from analyzers.matching.records.version_phrases import fixed_versions, version_opening
from analyzers.matching.versions.installed import version_evidence
from analyzers.matching.versions.sets import Verdict
from meddojo.device import Device
from meddojo.vulnerability import Vulnerability


class Standing(StrEnum):
    """Where the vendor's name stands, seen from the product's."""

    TOGETHER = "in the same words"
    APART = "elsewhere in the description"
    ASSIGNER = "as the assigner of the CVE only"


class Agreement(StrEnum):
    """How firmly the product's words agree."""

    FULL = "the whole name"
    VERBATIM = "word for word, among other words"
    MODEL = "the model designation"
    FAMILY = "the family or a neighbour"


_AGREEMENT = {
    ProductRelation.EXACT: Agreement.FULL,
    ProductRelation.WORDING: Agreement.FULL,
    ProductRelation.SHORT_FORM: Agreement.FULL,
    ProductRelation.QUALIFIED: Agreement.FULL,
    ProductRelation.CONFIGURED: Agreement.FULL,
    ProductRelation.MISSPELT: Agreement.FULL,
    ProductRelation.MODEL: Agreement.MODEL,
    ProductRelation.MEMBER: Agreement.MODEL,
    ProductRelation.TYPE_KEY: Agreement.MODEL,
    ProductRelation.FAMILY: Agreement.FAMILY,
    ProductRelation.BROADER: Agreement.FAMILY,
    ProductRelation.NARROWER: Agreement.FAMILY,
    ProductRelation.VARIANT: Agreement.FAMILY,
}
"""Other relations (a longer name, a part: 0.05 of 40) are no mention at all."""

DESCRIBED = {
    (Standing.TOGETHER, Agreement.FULL): 0.79,  # 0.84 of 118, but below the delivery threshold
    (Standing.TOGETHER, Agreement.VERBATIM): 0.53,  # of 53
    (Standing.TOGETHER, Agreement.MODEL): 0.56,  # of 25
    (Standing.TOGETHER, Agreement.FAMILY): 0.38,  # of 73
    (Standing.APART, Agreement.FULL): 0.72,  # of 76
    (Standing.APART, Agreement.VERBATIM): 0.25,  # of 4
    (Standing.APART, Agreement.MODEL): 0.56,  # 0.58 of 19
    (Standing.APART, Agreement.FAMILY): 0.38,  # 0.41 of 17
    (Standing.ASSIGNER, Agreement.FULL): 0.57,  # of 53
    (Standing.ASSIGNER, Agreement.VERBATIM): 0.12,  # of 32
    (Standing.ASSIGNER, Agreement.MODEL): 0.2,  # of 15; of families, 0.00 of 80
}
"""Probability that a record is about the device, version aside.

Measured by ``benchmarks/description_matching.py --classes`` on the first half of its vendors, with the number of
mentions beside each. A record counts as right only if its CPE names are the device's to the letter, hence too low
rather than too high. A description alone is never more than a matter for review.
"""

BESIDE = 0.4
"""Factor: the device is named as what something else is used with; by judgement, the benchmark has too few of them."""

_WORD = re.compile(r"[A-Za-z0-9]+")


@dataclass(frozen=True, slots=True)
class Mention:
    """A phrase of a description that may be the device.

    Attributes
    ----------
    vendor
        How the vendor is named, and where.
    beside
        True when the words around it say that the device is not what has the vulnerability.
    """

    phrase: Phrase
    product: ProductMatch
    standing: Standing
    agreement: Agreement
    vendor: str
    beside: bool

    @property
    def probability(self) -> float:
        """That the record is about the device, version aside."""
        return DESCRIBED[self.standing, self.agreement] * (BESIDE if self.beside else 1.0)


def match_description(device: Device, record: Vulnerability) -> Match | None:
    """Find the device in the description of a record; None when it is not there.

    Vendor and product both have to be named, the vendor at least as the assigner of the record.
    """
    mention = best_mention(device, record)
    if mention is None:
        return None
    text = _version_text(device, record)
    installed = device.version or mention.product.device_version or cpe_version(device.cpe)
    verdict, version = Verdict.UNKNOWN, Evidence(Kind.VERSION, "no version is named")
    if text:
        verdict, version = version_evidence(text, installed)
    said = "only the description says so"
    if mention.beside:
        said = f"it may be named only as what something else is used with; {said}"
    return Match(
        verdict,
        (
            Evidence(Kind.VENDOR, mention.vendor),
            Evidence(Kind.PRODUCT, mention.product.reason, mention.probability),
            version,
            Evidence(Kind.NOTE, said),
        ),
    )


def best_mention(device: Device, record: Vulnerability) -> Mention | None:
    """The strongest mention of a device; among equals, one with a version statement."""
    return max(_mentions(device, record), key=_rank, default=None)


def _rank(mention: Mention) -> tuple[float, bool, bool, str]:
    together = mention.standing is Standing.TOGETHER
    return mention.probability, together, bool(mention.phrase.version_text), mention.product.reason


def _mentions(device: Device, record: Vulnerability) -> Iterator[Mention]:
    keys = device_keys(device)
    if keys.isdisjoint(description_keys(record.description)):
        return
    for phrase in read_phrases(record.description):
        if keys.isdisjoint(phrase_keys(phrase.text)):
            continue
        product = compare_products(device.vendor, device.model, device.vendor, phrase.text)
        agreement = _AGREEMENT.get(product.relation) if product is not None else None
        if agreement is not Agreement.FULL and _stands_in(device.model, phrase.text):
            reason = f"product {device.model.strip()!r} stands word for word in {phrase.text!r}"
            version = product.device_version if product is not None else ""
            product = ProductMatch(1.0, ProductRelation.MODEL, reason, device_version=version)
            agreement = Agreement.VERBATIM
        if product is None or agreement is None or _spared(phrase):
            continue
        found = _find_vendor(device.vendor, phrase, record)
        if found is None or (found[0], agreement) not in DESCRIBED:
            continue
        beside = bool(BESIDE_BEFORE.search(phrase.before) or BESIDE_AFTER.search(phrase.after))
        yield Mention(phrase, product, found[0], agreement, found[1], beside)


def _find_vendor(vendor: str, phrase: Phrase, record: Vulnerability) -> tuple[Standing, str] | None:
    """Where the vendor is named, and how."""
    names = _vendor_names(vendor)
    standing, spelled = Standing.TOGETHER, _spelled(phrase.text, names)
    if not spelled:
        standing = Standing.APART
        spelled = next((text for each in read_sentences(record.description) if (text := _spelled(each, names))), "")
    if not spelled and _assigned_by(record.assigner, names):
        return Standing.ASSIGNER, f"vendor {vendor.strip()!r} {Standing.ASSIGNER} ({record.assigner})"
    if not spelled:
        return None
    match = compare_vendors(vendor, spelled)
    reason = match.reason if match is not None else f"vendor {vendor.strip()!r} = {spelled!r}"
    return standing, f"{reason} {standing}"


def _stands_in(model: str, text: str) -> bool:
    """Whether a telling model (a designation, or two words that name it) stands in a text as it is, and no variant."""
    own = _WORD.findall(model.lower())
    if not (any(sign.isdigit() for sign in model) or len([word for word in own if word not in DESCRIPTORS]) > 1):
        return False
    words = [*_WORD.findall(text.lower()), ""]
    return any(
        words[start : start + len(own)] == own and words[start + len(own)] not in VARIANTS
        for start in range(len(words) - len(own))
    )


def _spared(phrase: Phrase) -> bool:
    """Whether the text says that this product does not have the vulnerability."""
    return bool(SPARED_BEFORE.search(phrase.before) or SPARED_AFTER.search(phrase.after))


def _version_text(device: Device, record: Vulnerability) -> str:
    """The statements beside the device's name, else the only one that opens a sentence, else all below the fix."""
    firm = [mention for mention in _mentions(device, record) if mention.agreement is not Agreement.FAMILY]
    beside = dict.fromkeys(mention.phrase.version_text or mention.product.embedded_version for mention in firm)
    beside.pop("", None)
    if beside:
        return " | ".join(beside)
    sentences = read_sentences(record.description)
    stated = dict.fromkeys(text for sentence in sentences if (text := version_opening(sentence)))
    if not stated:
        return fixed_versions(" ".join(sentences))
    return next(iter(stated)) if len(stated) == 1 else ""


@lru_cache(maxsize=4096)
def _vendor_names(vendor: str) -> frozenset[str]:
    """Squashed spellings by which a text may name a vendor."""
    spelled = {squash(phrase) for phrase in vendor_phrases(vendor)} | {squash(key) for key in vendor_keys(vendor)}
    return frozenset(name for name in spelled if len(name) > 1)


def _spelled(text: str, names: frozenset[str]) -> str:
    """The longest run of up to four words that is a vendor's name; short names count in capitals only."""
    words = _WORD.findall(text)
    for length in range(4, 0, -1):
        for start in range(len(words) - length + 1):
            run = words[start : start + length]
            joined = "".join(run)
            capital = joined.isupper() if len(joined) < 4 else joined != joined.lower()
            if capital and joined.lower() in names:
                return " ".join(run)
    return ""


def _assigned_by(assigner: str, names: frozenset[str]) -> bool:
    """Whether the domain or the short name of the assigner is the vendor's."""
    domain = assigner.rpartition("@")[2].lower()
    labels = domain.split(".")
    return squash(labels[-2] if len(labels) > 1 else domain) in names
