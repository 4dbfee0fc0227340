"""Product names: whether the product a source names is the device of the inventory.

A name is read as words and model designations, expanded where it lists several products (``FM20/FM30``,
``MX400-MX850``, ``MX-Series``). The device's name is laid beside each of them, and the alignment is weighed by a
regression fitted on labelled pairs (`identity`).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

from analyzers.matching.names.aliases import known_names
from analyzers.matching.names.alignment import Alignment, Tie, align
from analyzers.matching.names.identity import probability
from analyzers.matching.names.reading import (
    ProductName,
    read_device_name,
    read_excluded_names,
    read_product_names,
)
from analyzers.matching.names.vendors import VendorRelation, vendor_phrases

ANOTHER_PRODUCT = 0.1
"""Below this probability, two names that have something in common are two products, and nothing is said about them."""


class ProductRelation(StrEnum):
    """How two product names belong together, in words a person can check."""

    EXACT = "exact"
    PART = "named as a part or in combination only"
    OTHER_MODEL = "perhaps another model"
    QUALIFIED = "same, but only in the configuration the source describes"
    CONFIGURED = "same, but the inventory describes a configuration"
    SHORT_FORM = "abbreviation"
    MEMBER = "within the named series or range of models"
    FAMILY = "a model of the named family"
    TYPE_KEY = "the type key contains the named model"
    MISSPELT = "spelled a little differently"
    VARIANT = "perhaps a neighbouring variant"
    OTHER_PART = "perhaps another part of the system"
    WORDING = "same but for descriptive words"
    MODEL = "the model designation agrees, other words differ"
    PARTLY = "partly the same"
    BROADER = "the source names the family, not the model"
    NARROWER = "the inventory does not say which model of the family"
    LONGER = "the source's name is longer"


@dataclass(frozen=True, slots=True)
class ProductMatch:
    """A device's model against a product a source names.

    Attributes
    ----------
    probability
        That it is the same product, 0 to 1; vendor considered, versions not.
    relation
        How the names belong together, in words.
    embedded_version
        Version that the source wrote into the product name (``IntelliSpace Portal 8.0.x``).
    device_version
        Version that the inventory wrote into the model.
    reason
        Part of a sentence: ``product 'MX40' = 'IntelliVue MX40' (...)``.
    """

    probability: float
    relation: ProductRelation
    reason: str
    embedded_version: str = ""
    device_version: str = ""


@lru_cache(maxsize=131072)
def compare_products(
    device_vendor: str,
    model: str,
    stated_vendor: str,
    stated: str,
    vendor: VendorRelation = VendorRelation.EXACT,
    model_number: str = "",
) -> ProductMatch | None:
    """Relate a device's model to the product a source names; None when they are different products.

    Parameters
    ----------
    device_vendor, stated_vendor
        Only to recognise the vendor's name where it is repeated in a product name.
    vendor
        How the two vendors belong together.
    model_number
        The device's order or model number: a source may name the product by it.
    """
    own_vendor = "" if _spells(stated_vendor, device_vendor) else device_vendor
    owns = {
        called: read_device_name(called, device_vendor, stated_vendor, model_number)
        for called in known_names(device_vendor, model)
    }
    if any(
        _is_excluded(own, name)
        for name in read_excluded_names(stated, stated_vendor, own_vendor)
        for own in owns.values()
    ):
        return None
    found = [
        (probability(alignment, vendor), called, alignment, name)
        for called, own in owns.items()
        for name in read_product_names(stated, stated_vendor, own_vendor)
        if (alignment := align(own, name)) is not None and (called == model or not alignment.stated.telling)
    ]
    best = max(found, key=lambda item: item[0], default=None)
    if best is None or best[0] < ANOTHER_PRODUCT:
        return None
    likely, called, alignment, name = best
    relation = describe(alignment)
    known_as = "" if called == model else f", known as {called!r},"
    reason = f"product {model.strip()!r}{known_as} = {stated.strip()!r} ({relation})"
    return ProductMatch(round(likely, 4), relation, reason, name.version, owns[called].version or owns[model].version)


def describe(found: Alignment) -> ProductRelation:
    """Put an alignment into words: the first of these that holds."""
    own, stated = found.own, found.stated
    parts = own.roles or stated.roles or own.accessories or stated.accessories
    for holds, relation in (
        (found.exact and not (found.own_tail or found.stated_tail), ProductRelation.EXACT),
        (found.part, ProductRelation.PART),
        (own.models and stated.models, ProductRelation.OTHER_MODEL),
        (found.stated_tail, ProductRelation.QUALIFIED),
        (found.own_tail, ProductRelation.CONFIGURED),
        (found.short_form, ProductRelation.SHORT_FORM),
        (Tie.MEMBER in found.ties, ProductRelation.MEMBER),
        (found.ties & {Tie.FAMILY, Tie.HUNDREDS}, ProductRelation.FAMILY),
        (Tie.TYPE_KEY in found.ties, ProductRelation.TYPE_KEY),
        (Tie.MISSPELT in found.ties, ProductRelation.MISSPELT),
        (own.variants or stated.variants, ProductRelation.VARIANT),
        (parts, ProductRelation.OTHER_PART),
        (not own.telling and not stated.telling, ProductRelation.WORDING),
        (found.codes + found.numbers, ProductRelation.MODEL),
        (own.telling and stated.telling, ProductRelation.PARTLY),
        (own.telling, ProductRelation.BROADER),
        (stated.models, ProductRelation.NARROWER),
    ):
        if holds:
            return relation
    return ProductRelation.LONGER


@lru_cache(maxsize=65536)
def _spells(vendor: str, other: str) -> bool:
    """Whether what one vendor is called covers the other: names are then read once for all spellings of it."""
    return set(vendor_phrases(other)) <= set(vendor_phrases(vendor))


def _is_excluded(own: ProductName, name: ProductName) -> bool:
    alignment = align(own, name)
    return alignment is not None and not alignment.own.telling and not alignment.stated.words
