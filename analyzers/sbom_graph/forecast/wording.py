"""What a CVE record's words tell: which language, whether an extension or another platform, which name."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.resources import files
from typing import Any

from analyzers.matching.names.normalise import squash


@dataclass(frozen=True, slots=True)
class Product:
    """What a CVE record says it is about."""

    vendor: str
    product: str
    description: str
    assigner: str = ""


@dataclass(frozen=True, slots=True)
class _Ecosystem:
    """How Debian names the packages of a language.

    Attributes
    ----------
    hint
        Words by which a record tells the language.
    told
        Whether a record has to tell it: names of these languages' modules are words of every day.
    """

    name: re.Pattern[str]
    hint: re.Pattern[str]
    told: bool


def _ecosystem(name: str, hint: str, *, told: bool = False) -> _Ecosystem:
    return _Ecosystem(re.compile(name), re.compile(hint, re.I), told)


_ECOSYSTEMS = (
    _ecosystem(r"python3?-(.+)|(.+)-python", r"\bpython|\bpypi\b|\bpip\b|django|\bwsgi\b|\.py\b"),
    _ecosystem(r"node-(.+)", r"\bnode(?:\.?js)?\b|\bnpm\b|javascript|typescript|\.js\b|prototype pollution"),
    _ecosystem(r"ruby-(.+)|lib(.+)-ruby", r"\bruby\b|\brubygems?\b|\brails\b|\bgem\b|\.rb\b"),
    _ecosystem(r"golang-(?:github|gitlab|gopkg|google|golang|k8s|gopkg.in)-(?:[^-]+-)?(.+)", r"\bgo(?:lang)?\b|\.go\b"),
    _ecosystem(r"rust-(.+)", r"\brust\b|\bcrate\b|\.rs\b"),
    _ecosystem(r"php-(.+)|lib(.+)-php", r"\bphp\b|\bcomposer\b|packagist|\.php\b"),
    _ecosystem(r"lib(.+)-java|(.+)-java", r"\bjava\b|\bmaven\b|\bjvm\b|\.java\b"),
    _ecosystem(r"lib(.+)-perl|(.+)-perl", r"\bperl\b|\bcpan\b|::", told=True),
    _ecosystem(r"haskell-(.+)", r"\bhaskell\b|hackage", told=True),
    _ecosystem(r"r-(?:cran|bioc)-(.+)", r"\bcran\b|\br package\b", told=True),
    _ecosystem(
        r"(?:lua|ocaml|erlang|elpa|puppet-module)-(.+)|lib(.+)-ocaml|(.+)-el",
        r"\b(?:lua|ocaml|erlang|emacs|puppet)\b",
        told=True,
    ),
)
_LEGAL = re.compile(
    r"[ _]+(?:project|inc|incorporated|corporation|corp|ltd|llc|software foundation|foundation|org|gmbh|team|community"
    r"|software|labs?|dev|development|maintainers|authors)\.?$"
)
_ELSEWHERE = re.compile(r"\bandroid\b|\bios\b|\bmacos\b|firmware|\brouter\b|windows application|\bmobile app", re.I)
"""Another platform: a package of the same name is another thing, unless the vendor says otherwise."""
_EXTENSION = re.compile(
    r"wordpress|woocommerce|joomla|typo3|prestashop|magento|shopify|sourcecodester|phpgurukul|\bauth\. \("
    r"|drupal|jenkins [\w -]*plugin|plugin <=",
    re.I,
)
"""Extensions of content management systems: a package of the same name is another thing, whoever the vendor is."""
_HEAD = 160
"""Characters of a description in which what it is about is named."""
_NAMED = re.compile(
    r"(?:^|\b(?:in|of|in the|within|affects|affecting)\s+)"
    r"((?:[A-Z][\w.+-]*\s+)?[A-Za-z][\w.+-]*[\w+](?:\s+[A-Z][\w.+-]*\w)?)"
    r"(?='s\b|[.;:](?:\s|$)|[,(]?(?:\s|$)\s*(?:\(|before|through|prior|up\b|versions?|v?\d|allows?|is\b|has\b|where"
    r"|that|when|did|does|was|in versions|package|librar|commit|built-in|and\b|$))"
)
"""A name where a sentence says what it is about: in front, or behind ``in``, and before a version or a verb."""
_PLATFORM = re.compile(r"red hat|rhel|\bel\d|openshift|fedora|debian_linux|ubuntu_linux|\bsuse|leap\b|rho\w+-\d", re.I)
"""Products that are whole distributions: what in them is meant, the description tells."""
_HOUSES = frozenset({"apache", "gnu", "gnome", "kde", "before", "through"})
"""Words at the place of a name that are none: who made it, or how the sentence goes on."""
_EXTENSIONS = ("patchstack", "wordfence", "wpscan")
"""Assigners whose records are about extensions of WordPress."""


def heads(description: str) -> Iterator[str]:
    """Names at the beginning of a description, in their order, two words before one."""
    for match in _NAMED.finditer(description[:_HEAD]):
        words = match[1].split()
        yield from (squash(match[1]), squash("".join(words[-2:])))
        yield from (name for name in map(squash, reversed(words)) if name not in _HOUSES)


def is_extension(record: Product) -> bool:
    """Whether it is about an extension of a content management system."""
    if any(name in record.assigner.lower() for name in _EXTENSIONS):
        return True
    found = _EXTENSION.search(record.description)
    return found is not None and squash(found[0]) != squash(record.product)


def speaks(source: str, record: Product) -> bool | None:
    """Whether the record is of the package's language; None when it tells none and the name is no everyday word."""
    text = f"{record.product} {record.description}"
    told = [each for each in _ECOSYSTEMS if each.hint.search(text)]
    own = [each for each in _ECOSYSTEMS if each.name.fullmatch(source)]
    if any(each in told for each in own):
        return True
    return False if told or any(each.told for each in own) else None


def is_elsewhere(record: Product) -> bool:
    """Whether it is about another platform."""
    return bool(_ELSEWHERE.search(record.description))


def is_platform(product: str) -> bool:
    """Whether the product is a whole distribution."""
    return bool(_PLATFORM.search(product))


def module_names(source: str) -> Iterator[str]:
    """A package's name without its language's prefix or suffix."""
    for ecosystem in _ECOSYSTEMS:
        if match := ecosystem.name.fullmatch(source):
            yield next(filter(None, match.groups()))


@lru_cache(maxsize=65536)
def bare_vendor(vendor: str) -> str:
    """The vendor without its legal form."""
    return _LEGAL.sub("", vendor.lower().strip().removeprefix("the "))


@cache
def aliases() -> Mapping[str, tuple[str, ...]]:
    """Source package without its version: squashed products."""
    found: dict[str, tuple[str, ...]] = {}
    for product, sources in _tables()["products"].items():
        for source in sources:
            found[source] = (*found.get(source, ()), product)
    return found


@cache
def names(name: str) -> frozenset[str]:
    """A list of ``aliases.toml``."""
    return frozenset(_tables()["names"][name])


@cache
def _tables() -> Mapping[str, Any]:
    return tomllib.loads(files(__package__).joinpath("aliases.toml").read_text("utf-8"))
