"""Product names: whether the product a source names is the device of the inventory.

A name is read as words and model designations, expanded where it lists several products (``FM20/FM30``,
``MX400-MX850``, ``MX-Series``). The device's name is then compared with each of them. Two different model
designations are two different products; a family name is not a statement about each of its models.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from functools import lru_cache

from analyzers.matching.normalise import misspelt, squash
from analyzers.matching.product_names import (
    ProductName,
    is_model,
    is_set,
    model_matches,
    read_device_name,
    read_product_names,
)
from analyzers.matching.product_words import DESCRIPTORS, VARIANTS


class ProductRelation(StrEnum):
    """How a stated product relates to a device's name."""

    EXACT = "exact"
    IDENTIFIER = "model number"
    WORDING = "same but for descriptive words"
    MODEL_WITHIN = "the model designation agrees, one name is longer"
    SERIES = "within the named series or range of models"
    SHORT_FORM = "abbreviation"
    MISSPELT = "spelled a little differently"
    QUALIFIED = "same, but only in the configuration the source describes"
    MODEL_ONLY = "the model designation agrees, other words differ"
    BROADER = "the source names the family, not the model"
    NARROWER = "the inventory does not say which model of the family"
    VARIANT = "perhaps a neighbouring variant"
    LONGER = "the source's name is longer"
    PART = "named as a part or in combination only"


PRODUCT_PROBABILITY = {
    ProductRelation.IDENTIFIER: 0.98,
    ProductRelation.EXACT: 0.97,
    ProductRelation.WORDING: 0.93,
    ProductRelation.MODEL_WITHIN: 0.9,
    ProductRelation.SERIES: 0.88,
    ProductRelation.QUALIFIED: 0.87,
    ProductRelation.SHORT_FORM: 0.85,
    ProductRelation.MISSPELT: 0.85,
    ProductRelation.MODEL_ONLY: 0.6,
    ProductRelation.BROADER: 0.65,
    ProductRelation.NARROWER: 0.6,
    ProductRelation.VARIANT: 0.55,
    ProductRelation.PART: 0.5,
    ProductRelation.LONGER: 0.4,
}
"""Probability that the stated product is the device, vendor and version aside; set by judgement, not yet calibrated."""


@dataclass(frozen=True, slots=True)
class ProductMatch:
    """Relation of a device's model to a product a source names.

    Attributes
    ----------
    embedded_version
        Version that the source wrote into the product name (``IntelliSpace Portal 8.0.x``).
    device_version
        Version that the inventory wrote into the model.
    reason
        Part of a sentence: ``product 'MX40' = 'IntelliVue MX40' (...)``.
    """

    relation: ProductRelation
    reason: str
    embedded_version: str = ""
    device_version: str = ""

    @property
    def probability(self) -> float:
        """0 to 1, see `PRODUCT_PROBABILITY`."""
        return PRODUCT_PROBABILITY[self.relation]


@lru_cache(maxsize=131072)
def compare_products(device_vendor: str, model: str, stated_vendor: str, stated: str) -> ProductMatch | None:
    """Relate a device's model to the product a source names; None when they are different products.

    Parameters
    ----------
    device_vendor, stated_vendor
        Only to recognise the vendor's name where it is repeated in a product name.
    """
    own = read_device_name(model, device_vendor, stated_vendor)
    best: tuple[float, ProductRelation, ProductName] | None = None
    for name in read_product_names(stated, stated_vendor, device_vendor):
        relation = _relate(own, name)
        if relation is not None and (best is None or PRODUCT_PROBABILITY[relation] > best[0]):
            best = (PRODUCT_PROBABILITY[relation], relation, name)
    if best is None:
        return None
    _, relation, name = best
    return ProductMatch(relation, _reason(model, stated, relation), name.version, own.version)


def _reason(model: str, stated: str, relation: ProductRelation) -> str:
    return f"product {model.strip()!r} = {stated.strip()!r} ({relation})"


def _relate(own: ProductName, stated: ProductName) -> ProductRelation | None:
    if own.whole and own.whole == stated.whole:
        return ProductRelation.EXACT
    if not own.tokens or not stated.tokens:
        return None
    if own.tail and stated.tail and not (own.tail <= stated.tail or stated.tail <= own.tail):
        return None
    if own.tokens == stated.tokens or squash(" ".join(own.tokens)) == squash(" ".join(stated.tokens)):
        return ProductRelation.QUALIFIED if stated.tail - _all_tokens(own) else ProductRelation.EXACT
    if squash(" ".join(own.tokens)) in stated.short_forms:
        return ProductRelation.SHORT_FORM
    corrected = _corrected(own.tokens, stated.tokens)
    if corrected != own.tokens:
        relation = _relate(replace(own, tokens=corrected, whole=""), stated)
        return ProductRelation.MISSPELT if relation in _FIRM else relation
    mine, theirs = _harmonise(own.tokens, stated.tokens), _harmonise(stated.tokens, own.tokens)
    pairs = {(one, two) for one in mine if is_model(one) for two in theirs if model_matches(two, one)}
    matched_mine, matched_theirs = {one for one, _ in pairs}, {two for _, two in pairs}
    extra_mine = {token for token in mine if token not in theirs} - matched_mine - stated.aside
    extra_theirs = {token for token in theirs if token not in mine} - matched_theirs - own.aside
    models_mine = {token for token in extra_mine if is_model(token)}
    models_theirs = {token for token in extra_theirs if is_model(token)}
    if models_mine and models_theirs:
        return None
    shared = (set(mine) & set(theirs)) - DESCRIPTORS
    if not shared and not pairs:
        in_tail = _within(mine, stated.tail) or _within(theirs, own.tail)
        return ProductRelation.PART if in_tail else None
    extra_mine -= own.vendor_words
    extra_theirs -= stated.vendor_words
    same_kind = set(mine) & set(theirs) & DESCRIPTORS
    if not matched_mine and not same_kind and extra_mine & DESCRIPTORS and extra_theirs & DESCRIPTORS:
        return None
    relation = _judge(mine, extra_mine, extra_theirs, matched_mine, _first_name(mine) in theirs)
    if relation in _FIRM and any(one != two for one, two in pairs):
        return ProductRelation.SERIES
    if relation in _FIRM and stated.tail - _all_tokens(own):
        return ProductRelation.QUALIFIED
    return relation


_FIRM = (ProductRelation.EXACT, ProductRelation.WORDING, ProductRelation.MODEL_WITHIN)


def _judge(
    mine: tuple[str, ...], extra_mine: set[str], extra_theirs: set[str], agreed: set[str], leads: bool
) -> ProductRelation | None:
    """Weigh the words that only one of the two names has.

    Parameters
    ----------
    agreed
        Model designations the two names have in common.
    leads
        Whether the first telling word of the device's name stands in the other name.
    """
    named_mine, named_theirs = extra_mine - DESCRIPTORS, extra_theirs - DESCRIPTORS
    models = {token for token in named_mine | named_theirs if is_model(token)}
    strong = any(len(token) > 2 for token in agreed)
    if not named_mine and not named_theirs:
        vague = extra_theirs and not agreed and len(mine) == 1
        return ProductRelation.NARROWER if vague else ProductRelation.WORDING
    if (named_mine | named_theirs) & VARIANTS:
        return ProductRelation.VARIANT if not (extra_mine and extra_theirs) and (agreed or leads) else None
    one_sided = not (extra_mine and extra_theirs) or models == named_mine | named_theirs
    if not one_sided:
        coined = any(len(token) > 2 and not token.isdigit() for token in agreed)
        if models or not coined:
            return None
        return ProductRelation.MODEL_ONLY if named_mine and named_theirs else ProductRelation.MODEL_WITHIN
    if strong and not models:
        return ProductRelation.MODEL_WITHIN
    if named_mine:
        return ProductRelation.BROADER if leads else None
    return ProductRelation.NARROWER if models else ProductRelation.LONGER


def _within(tokens: tuple[str, ...], tail: frozenset[str]) -> bool:
    return bool(set(tokens) - DESCRIPTORS) and set(tokens) <= tail


def _all_tokens(name: ProductName) -> frozenset[str]:
    return name.aside | name.tail | set(name.tokens)


def _first_name(tokens: tuple[str, ...]) -> str:
    return next((token for token in tokens if token not in DESCRIPTORS), tokens[0])


def _corrected(tokens: tuple[str, ...], other: tuple[str, ...]) -> tuple[str, ...]:
    """The words of a name, those misspelt written as the other name has them."""
    open_words = [word for word in other if word not in tokens]
    return tuple(
        next((word for word in open_words if token not in other and misspelt(token, word)), token) for token in tokens
    )


def _harmonise(tokens: tuple[str, ...], other: tuple[str, ...]) -> tuple[str, ...]:
    """Join neighbours that the other name writes as one: ``EC 40`` beside ``EC40``."""
    known = set(other)
    if known.issuperset(tokens):
        return tokens
    sets = [word for word in other if is_set(word)]
    joined: list[str] = []
    for token in tokens:
        last = joined[-1] if joined else ""
        as_one = last and last not in known and last + token in known
        as_member = last and sets and not is_model(last) and any(model_matches(word, last + token) for word in sets)
        if as_one or as_member:
            joined[-1] += token
        else:
            joined.append(token)
    return tuple(joined)
