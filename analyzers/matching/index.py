"""Nomination: which advisories and CVE records are worth comparing with a device.

Everything that may match shares at least one key; the matcher itself compares nothing without a shared key, so that
nomination can lose nothing. A key joins a vendor's cluster (the company and its relatives) with one telling word of
the product name.
"""

from __future__ import annotations

import re
from functools import lru_cache
from itertools import pairwise

from analyzers.matching.helpers import leaf_keys, own_keys
from analyzers.matching.identifiers import cpe_key, cpe_names, parse_cpe, purl_key, source_key
from analyzers.matching.names.aliases import known_names
from analyzers.matching.names.normalise import fold, skeleton, squash
from analyzers.matching.names.reading import ProductName, is_model, is_set, read_device_name, read_product_names
from analyzers.matching.names.vendors import ANY_VENDOR, leading_vendor, vendor_keys
from analyzers.matching.names.words import BRANDS, DESCRIPTORS
from analyzers.matching.records.description_words import COMMON_WORDS
from analyzers.matching.records.phrases import read_phrases
from analyzers.matching.stated import stated_products
from meddojo.advisory import Advisory, AffectedProduct
from meddojo.device import Device
from meddojo.sbom import Component, Sbom
from meddojo.vulnerability import Vulnerability

INDEX_VERSION = 2
"""Bumped whenever the keys of the same input change: stored keys of another version have to be computed anew."""

DESCRIPTION_KEYS = 16
"""Most index keys of one description."""

_LETTERS = re.compile(r"[a-z]*")
_LAST_DIGITS = re.compile(r"\d{3,}$")
_LONGEST_FAMILY = 6
_LONGEST_PREFIX = 9
_SHORTEST_CODE = 4
_SERIES = re.compile(r"\bseries\b|\d\w*\s?-\s?[a-z]*\d|\dx+\b")


@lru_cache(maxsize=65536)
def product_keys(vendor: str, product: str, cpe: str = "", purl: str = "") -> frozenset[str]:
    """Index keys of a product that a source names.

    Parameters
    ----------
    cpe, purl
        Identification helpers; empty when the source gives none.
    """
    names = read_product_names(product, vendor)
    keys = {f"{group}|{word}" for group in vendor_keys(vendor) for name in names for word in _words(name, wide=True)}
    keys.update(key for key in (cpe_key(cpe), purl_key(purl)) if key)
    parts = cpe_names(cpe)
    return frozenset(keys) | (product_keys(*parts) if parts else frozenset())


@lru_cache(maxsize=16384)
def device_keys(device: Device) -> frozenset[str]:
    """Index keys of a device of the inventory."""
    vendors = vendor_keys(device.vendor) | {ANY_VENDOR}
    words: set[str] = set()
    for called in known_names(device.vendor, device.model):
        name = read_device_name(called, device.vendor, model_number=device.model_number)
        words |= _words(name) | {
            _spelled(token) for token in name.aside if is_model(token) and len(token) >= _SHORTEST_CODE
        }
    keys = {f"{group}|{word}" for group in vendors for word in words}
    keys.update(key for key in (cpe_key(device.cpe), purl_key(device.purl)) if key)
    parts = cpe_names(device.cpe)
    if parts:
        keys.update(
            f"{group}|{word}"
            for group in vendor_keys(parts[0])
            for word in _words(read_device_name(parts[1], parts[0]))
        )
    keys.update(own_keys(device))
    return frozenset(keys)


@lru_cache(maxsize=65536)
def affected_product_keys(product: AffectedProduct) -> frozenset[str]:
    """Index keys of one leaf of a product tree, or of one product of a CVE record."""
    return _leaf_keys(product)


def _leaf_keys(product: AffectedProduct) -> frozenset[str]:
    keys = frozenset(leaf_keys(product))
    for stated in stated_products(product):
        keys |= product_keys(stated.vendor, stated.product, product.cpe, product.purl)
    if product.installed_on:
        keys |= product_keys(leading_vendor(product.installed_on) or product.vendor, product.installed_on)
    return keys


def advisory_keys(advisory: Advisory) -> frozenset[str]:
    """Index keys of every product an advisory names."""
    return frozenset().union(*(affected_product_keys(product) for product in advisory.products))


def vulnerability_keys(vulnerability: Vulnerability) -> frozenset[str]:
    """Index keys of a CVE record: its CPE names, hardware included, and the products its assigner names."""
    criteria = {
        match.criteria
        for configuration in vulnerability.configurations
        for node in configuration.nodes
        for match in node.matches
    }
    # Hundreds of versions share a product, and no two records a leaf: only names of products are worth remembering.
    names = {names for text in criteria if (names := cpe_names(text)) is not None}
    packages = {
        package_key(cpe.product) for text in criteria if (cpe := parse_cpe(text)) is not None and cpe.part != "h"
    }
    described = (
        frozenset()
        if vulnerability.configurations or vulnerability.affected or vulnerability.rejected
        else description_keys(vulnerability.description)
    )
    return frozenset(packages | {cpe_key(text) for text in criteria} - {""}).union(
        described,
        {key for product in vulnerability.affected if (key := package_key(product.product))},
        *(product_keys(*name) for name in names),
        *(_leaf_keys(product) for product in vulnerability.affected),
    )


@lru_cache(maxsize=4096)
def description_keys(description: str) -> frozenset[str]:
    """Index keys of a record that names its products nowhere but in its description, whoever makes them.

    At most `DESCRIPTION_KEYS`: those of the first phrases, which nearly always name the product.
    """
    found: dict[str, None] = {}
    for phrase in read_phrases(description):
        found.update(dict.fromkeys(sorted(phrase_keys(phrase.text))))
        if len(found) >= DESCRIPTION_KEYS:
            break
    return frozenset(list(found)[:DESCRIPTION_KEYS])


@lru_cache(maxsize=65536)
def phrase_keys(text: str) -> frozenset[str]:
    """Index keys of a proper-name phrase of a description: one for each telling word, whoever the vendor is."""
    name = read_device_name(text, "")
    tokens = {*name.tokens, *name.aside, *name.tail, *_joined(name.tokens)} - DESCRIPTORS - COMMON_WORDS
    if _SERIES.search(fold(text)):
        tokens |= {f"{letters}#" for token in tokens if is_model(token) and (letters := _letters(token))}
    return frozenset(f"{ANY_VENDOR}|{_spelled(token)}" for token in tokens if len(token) > 1)


def _joined(tokens: tuple[str, ...]) -> set[str]:
    """``EC 40`` -> ``ec40``: letters and a number that others write as one."""
    return {one + two for one, two in pairwise(tokens) if one.isalpha() and len(one) < 5 and two[:1].isdigit()}


def sbom_keys(sbom: Sbom) -> frozenset[str]:
    """Index keys of every component of a device's bill of materials: they nominate CVE records beside `device_keys`."""
    return frozenset().union(*(component_keys(component) for component in sbom.components))


def component_keys(component: Component) -> frozenset[str]:
    """Index keys of a component: its CPE, its package URL, that of its source package, and its name."""
    keys = {cpe_key(component.cpe), purl_key(component.purl), source_key(component.purl), package_key(component.name)}
    return frozenset(keys - {""})


def package_key(name: str) -> str:
    """Index key of a package name, whatever vendor or ecosystem; empty for an empty name."""
    bare = squash(name.rsplit("/", 1)[-1])
    return f"package:{bare}" if bare else ""


def _words(name: ProductName, wide: bool = False) -> set[str]:
    """Telling words of a name; `wide` adds what a source says beside it.

    The brand of a whole line nominates only where one of the two names has nothing else to go by: what a source says
    of one SCALANCE switch is no reason to look at every other.
    """
    tokens = list(name.tokens)
    tokens += [one + two for one, two in pairwise(name.tokens)]
    if wide:
        tokens += sorted(name.aside | name.tail)
    telling = {token for token in tokens if token not in DESCRIPTORS and not is_set(token)}
    telling = {token for token in telling if len(token) > (2 if token.isdigit() else 1)} or telling
    brands = telling & BRANDS
    words = {_spelled(token) for token in telling - brands}
    words |= {f"~{_spelled(brand)}" for brand in brands if wide or set(name.tokens) <= BRANDS | DESCRIPTORS}
    words |= {_spelled(brand) for brand in brands if not wide or set(name.tokens) <= BRANDS | DESCRIPTORS}
    for token in tokens:
        words |= _family_keys(token, wide)
    words |= {"=" + squash(" ".join(name.tokens)), "=" + name.whole}
    words |= {"=" + form for form in name.short_forms if wide}
    return words - {"="}


def _spelled(token: str) -> str:
    """The form a token is looked up by: a longer word also where it is misspelt."""
    return skeleton(token) if token.isalpha() and len(token) > 5 else token


def _family_keys(token: str, wide: bool) -> set[str]:
    """What a model designation has in common with the series, family or shorter model that a source names."""
    letters = _letters(token)
    family = f"{letters}#"
    if not is_model(token):
        return {token + "#"} if wide and 1 < len(token) <= _LONGEST_FAMILY else set()
    ending = _LAST_DIGITS.search(token)
    keys = {f"${ending.group()}"} if ending else set()
    if not letters:
        return keys
    if not wide:
        return keys | {family, *(f"^{token[:length]}" for length in range(3, _LONGEST_PREFIX) if len(token) > length)}
    if is_set(token) or token.endswith("00"):
        keys.add(family)
    return keys | ({f"^{token}"} if 2 < len(token) < _LONGEST_PREFIX else set())


def _letters(token: str) -> str:
    """Letters a model designation begins with: what a series and its members have in common."""
    found = _LETTERS.match(token)
    return found.group() if found else ""
