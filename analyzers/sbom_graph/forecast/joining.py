"""Which source package a CVE record is about.

NVD, assigners and Debian spell the same project in three ways. A record is joined by the name of its product, and only
where something else agrees: its vendor, the package's home page, or a name that nobody else uses. See
``docs/sbom-forecast.md`` for the rules and for how often they err.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import SplitResult, urlsplit

from analyzers.matching.names.normalise import squash
from analyzers.sbom_graph.forecast.debian import SourcePackage
from analyzers.sbom_graph.forecast.wording import (
    Product,
    aliases,
    bare_vendor,
    heads,
    is_elsewhere,
    is_extension,
    is_platform,
    module_names,
    names,
    speaks,
)


class Rule(StrEnum):
    """How the name was found."""

    ALIAS = "a known other name"
    EXACT = "the whole name"
    VERSIONED = "the name without a version or a packager's suffix"
    ECOSYSTEM = "the name without a language's prefix or suffix"
    LIBRARY = "the name with or without lib"


class Agreement(StrEnum):
    """What else speaks for it."""

    ALIAS = "the alias alone"
    VENDOR = "vendor and package or its home page"
    UPSTREAM = "a vendor whose other products are packaged"
    DISTRIBUTOR = "a distributor's record, which names its package"
    DISTINCTIVE = "a name nobody else uses"


@dataclass(frozen=True, slots=True)
class Join:
    """A record belongs to a source package."""

    source: str
    rule: Rule
    agreement: Agreement


_SUFFIX = re.compile(r"-(?:dfsg|src|opensource-src|toolchain|defaults|core)$")
_VERSION = re.compile(r"(?<=[a-z])[-.]?\d+(?:\.\d+)*$")
_BARE_DOMAIN = 2
_SHORTEST_PART = 4
_SHORTEST_BARE = 3
_SHORTEST_DISTINCTIVE = 6
_SHORTEST_ALONE = 5
_LONG = 8
_COMMON = 25
"""A word that so many records of other products use is no distinctive name."""


class Joiner:
    """Joins CVE records to the source packages of one release.

    Parameters
    ----------
    packages
        Of the release.
    products
        All products of the table, to know which names several vendors use and which are common words.
    """

    def __init__(self, packages: Iterable[SourcePackage], products: Iterable[Product]) -> None:
        self._places: dict[str, frozenset[str]] = {}
        self._owned: dict[str, bool] = {}
        self._names: dict[Rule, dict[str, set[str]]] = {rule: defaultdict(set) for rule in Rule}
        for package in packages:
            self._places[package.name] = frozenset(_places(package.homepage))
            self._owned[package.name] = _on_forge(package.homepage)
            for rule, key in _keys(package.name):
                self._names[rule][key].add(package.name)
        self._vendors, self._common = _usage(products, {key for keys in self._names.values() for key in keys})

    def join(self, record: Product) -> tuple[Join, ...]:
        """Source packages the record is about; several where Debian has several versions of one project."""
        key = squash(record.product)
        if key in names("unnamed") or (is_platform(record.product) and not self._named(key)):
            return self._described(record)
        for name, whole in _product_keys(record.vendor, record.product):
            for rule, sources in self._by_name(name):
                found = tuple(
                    Join(source, rule, agreement)
                    for source in sorted(sources)
                    if (agreement := self._agreement(source, rule, name, whole, record)) is not None
                )
                if found:
                    return () if is_extension(record) else found
        return ()

    def _by_name(self, key: str) -> Iterator[tuple[Rule, set[str]]]:
        for rule in Rule:
            if sources := self._names[rule].get(key):
                yield rule, sources

    def _named(self, key: str) -> bool:
        return any(key in self._names[rule] for rule in (Rule.EXACT, Rule.ALIAS, Rule.VERSIONED))

    def _described(self, record: Product) -> tuple[Join, ...]:
        """By the first distinctive name in the description: nothing else is there to go by."""
        if is_elsewhere(record):
            return ()
        for name in heads(record.description):
            for rule in (Rule.ALIAS, Rule.EXACT, Rule.VERSIONED, Rule.ECOSYSTEM):
                sources = self._names[rule].get(name, set())
                if rule is Rule.ECOSYSTEM:
                    sources = {source for source in sources if speaks(source, record)}
                if sources and (rule is Rule.ALIAS or self._distinctive(name)):
                    if is_extension(record):
                        return ()
                    return tuple(Join(source, rule, Agreement.DISTINCTIVE) for source in sorted(sources))
        return ()

    def _agreement(self, source: str, rule: Rule, key: str, whole: bool, record: Product) -> Agreement | None:
        vendor = squash(bare_vendor(record.vendor))
        elsewhere = is_elsewhere(record)
        if rule is Rule.ALIAS:
            sure = whole or vendor in names("upstream") or vendor in self._places[source]
            return Agreement.ALIAS if sure and (vendor or not elsewhere) else None
        if rule is Rule.ECOSYSTEM and key in names("services"):
            return None
        if rule is Rule.ECOSYSTEM:
            return self._module(source, key, whole, vendor, record)
        if self._belongs(vendor, source, rule, key, whole):
            return Agreement.VENDOR
        if elsewhere or not whole or rule is Rule.LIBRARY:
            return None
        if vendor in names("distributors") or (not vendor and self._distinctive(key, _SHORTEST_ALONE)):
            return Agreement.DISTRIBUTOR
        if vendor and self._owned[source]:
            return None  # the page says who its owner is
        if vendor in names("upstream"):
            return Agreement.UPSTREAM
        if vendor and (rule is Rule.VERSIONED or (len(key) < _LONG and not key.startswith("lib"))):
            return None
        return Agreement.DISTINCTIVE if self._distinctive(key) else None

    def _module(self, source: str, key: str, whole: bool, vendor: str, record: Product) -> Agreement | None:
        """A module of a language: the record has to tell the language, or the vendor is the page's."""
        told = speaks(source, record)
        if told is not False and vendor in self._places[source]:
            return Agreement.VENDOR
        if not told or not whole:
            return None
        if vendor == key or vendor == squash(source):
            return Agreement.VENDOR
        return Agreement.DISTINCTIVE if self._distinctive(key) else None

    def _belongs(self, vendor: str, source: str, rule: Rule, key: str, whole: bool) -> bool:
        places = self._places[source]
        if not vendor:
            return False
        if vendor in places:
            return True
        if not whole or (rule is Rule.LIBRARY and not key.startswith("lib")):
            return False  # node's sharp is not libsharp
        if vendor in (key, squash(source)):
            return True
        if vendor.startswith(key) and vendor.removeprefix(key) in names("additions"):
            return True
        return len(vendor) >= _SHORTEST_PART and any(
            place in vendor or vendor in place for place in places if len(place) >= _SHORTEST_PART
        )

    def _distinctive(self, key: str, shortest: int = _SHORTEST_DISTINCTIVE) -> bool:
        if key.startswith("lib") and len(key) >= _SHORTEST_DISTINCTIVE:
            return True
        return len(key) >= shortest and len(self._vendors[key]) <= 1 and self._common[key] < _COMMON


def _keys(source: str) -> Iterator[tuple[Rule, str]]:
    """Names under which a product may be the source package."""
    yield Rule.EXACT, squash(source)
    if source in names("no_versions"):
        return
    bare = _VERSION.sub("", _SUFFIX.sub("", source))
    yield from ((Rule.ALIAS, product) for product in {*aliases().get(bare, ()), *aliases().get(source, ())})
    if bare != source and len(squash(bare)) >= _SHORTEST_BARE:
        yield Rule.VERSIONED, squash(bare)
    yield from ((Rule.ECOSYSTEM, squash(name)) for name in module_names(source))
    if not bare.startswith("lib"):
        yield Rule.LIBRARY, "lib" + squash(bare)
    elif len(bare) >= len("lib") + _SHORTEST_BARE:
        yield Rule.LIBRARY, squash(bare.removeprefix("lib"))


def _product_keys(vendor: str, product: str) -> Iterator[tuple[str, bool]]:
    """The product's name, and what it is without its vendor's (``apache log4j2``), which is less of a name."""
    yield squash(product), True
    first, _, rest = product.replace("_", " ").partition(" ")
    if rest and squash(first) and squash(first) in squash(vendor):
        yield squash(rest), False
    short = re.sub(r"\(.*?\)|\b(?:library|package|server|project|for (?:python|node\.?js|java))\b", " ", product)
    if squash(short) and squash(short) != squash(product):
        yield squash(short), False


def _places(homepage: str) -> Iterator[str]:
    """Labels of a home page: host names, and the first folders, which hold an owner and a project."""
    parts = _split(homepage)
    host = (parts.hostname or "").removeprefix("www.")
    labels = host.split(".")
    forge = _is_forge(host)
    if not forge:
        yield from filter(None, map(squash, [*labels[:-1], host]))
    if forge or len(labels) > _BARE_DOMAIN:
        yield from filter(None, map(squash, parts.path.split("/")[1:3]))


def _on_forge(homepage: str) -> bool:
    return _is_forge((_split(homepage).hostname or "").removeprefix("www."))


def _is_forge(host: str) -> bool:
    """``github.com``, not ``owner.github.io``."""
    name, _, rest = host.partition(".")
    return name in names("forges") and "." not in rest


def _split(address: str) -> SplitResult:
    try:
        return urlsplit(address.lower())
    except ValueError:
        return urlsplit("")


def _usage(products: Iterable[Product], keys: set[str]) -> tuple[Mapping[str, set[str]], Mapping[str, int]]:
    """Vendors of each name, and how many descriptions of other products use it as a word."""
    vendors: dict[str, set[str]] = defaultdict(set)
    common: dict[str, int] = defaultdict(int)
    for record in products:
        key = squash(record.product)
        if key in names("unnamed") or is_platform(record.product):
            continue
        vendor = squash(bare_vendor(record.vendor))
        if vendor and key not in vendor:
            vendors[key].add(vendor)
        for word in set(_words(record.description)) & keys:
            if word != key and word not in squash(record.vendor):
                common[word] += 1
    return vendors, common


def _words(text: str) -> Iterable[str]:
    return re.findall(r"(?<![\w./-])[a-z][a-z0-9]+(?![\w/-])", text)
