"""Which package a record is about: every rule with a join and with a refusal."""

from __future__ import annotations

import csv
from collections import Counter
from importlib.resources import files

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analyzers.sbom_graph.forecast.debian import SourcePackage
from analyzers.sbom_graph.forecast.joining import Joiner
from analyzers.sbom_graph.forecast.wording import Product

PAGES = {
    "bind9": "https://www.isc.org/downloads/bind/",
    "php8.2": "https://www.php.net/",
    "php-defaults": "",
    "linux": "https://www.kernel.org/",
    "linux86": "",
    "tiff": "https://libtiff.gitlab.io/libtiff/",
    "libstb": "https://github.com/nothings/stb",
    "libsharp": "https://healpix.sourceforge.net",
    "node-ws": "https://github.com/websockets/ws",
    "python-gitlab": "https://github.com/python-gitlab/python-gitlab",
    "python-markdown": "https://python-markdown.github.io/",
    "minder": "https://github.com/phase1geo/Minder",
    "weasyprint": "https://weasyprint.org/",
    "mediawiki": "https://www.mediawiki.org/",
    "curl": "https://curl.se/",
    "libcommons-compress-java": "https://commons.apache.org/proper/commons-compress/",
    "sumo": "https://sumo.dlr.de/",
    "glibc": "",
}


@pytest.fixture(scope="module")
def joiner() -> Joiner:
    return Joiner([SourcePackage(name, page, frozenset()) for name, page in PAGES.items()], [])


@pytest.mark.parametrize(
    ("vendor", "product", "description", "sources"),
    [
        ("isc", "bind", "A query exhausts memory.", {"bind9"}),
        ("php", "php", "In PHP before 8.2.1 a hash is wrong.", {"php8.2", "php-defaults"}),
        ("linux", "linux_kernel", "A race in the kernel.", {"linux"}),
        ("", "libtiff", "LibTIFF reads out of bounds.", {"tiff"}),
        ("nothings", "stb", "stb_vorbis writes out of bounds.", {"libstb"}),
        ("sharp_project", "sharp", "sharp for Node.js runs commands.", set()),
        ("websockets", "ws", "ws is a WebSocket server for Node.js.", {"node-ws"}),
        ("websockets", "ws", "ws is a Haskell library.", set()),
        ("gitlab", "gitlab", "An issue was discovered in GitLab.", set()),
        ("gomarkdown", "markdown", "A Go library for Markdown.", set()),
        ("stacklok", "minder", "Minder is a security platform.", set()),
        ("kozea", "weasyprint", "WeasyPrint makes PDF.", {"weasyprint"}),
        ("", "", "An issue was discovered in MediaWiki before 1.39.", {"mediawiki"}),
        ("", "", "An issue was discovered in Something before 1.39.", set()),
        ("red hat", "red hat enterprise linux 8", "A flaw was found in the curl package.", {"curl"}),
        ("apache software foundation", "apache commons compress", "Too much.", {"libcommons-compress-java"}),
        ("sumome", "sumo", "The Sumo plugin for WordPress is open.", set()),
        ("gnu", "glibc", "iconv overflows.", {"glibc"}),
        ("unknown", "nothing", "", set()),
    ],
)
def test_rules(joiner: Joiner, vendor: str, product: str, description: str, sources: set[str]) -> None:
    assert {join.source for join in joiner.join(Product(vendor, product, description))} == sources


def test_an_assigner_of_extensions_joins_nothing(joiner: Joiner) -> None:
    assert joiner.join(Product("sumo", "sumo", "Reflected script.", "audit@patchstack.com")) == ()
    assert joiner.join(Product("sumo", "sumo", "Reflected script.")) != ()


@given(st.text(max_size=60), st.text(max_size=60), st.text(max_size=300))
def test_whatever_a_record_says_only_known_packages_are_joined(vendor: str, product: str, description: str) -> None:
    joiner = Joiner([SourcePackage(name, page, frozenset()) for name, page in PAGES.items()], [])
    assert {join.source for join in joiner.join(Product(vendor, product, description))} <= PAGES.keys()


def test_a_home_page_that_is_no_address_is_read_as_none() -> None:
    joiner = Joiner([SourcePackage("foo", "http://[broken", frozenset())], [])
    assert [join.source for join in joiner.join(Product("foo", "foo", ""))] == ["foo"]


def test_what_was_read_by_hand_is_a_table_of_verdicts() -> None:
    text = files("analyzers.sbom_graph.forecast").joinpath("joins_read.tsv").read_text("utf-8")
    rows = list(csv.DictReader(text.splitlines(), delimiter="\t"))
    counts = Counter((row["sample"], row["verdict"]) for row in rows)
    assert counts["joined", "right"] + counts["joined", "wrong"] == 150
    assert counts["apart", "missed"] + counts["apart", "none"] == 120
    assert counts["described", "right"] + counts["described", "wrong"] == 60
    assert sum(counts.values()) == 330
    assert all(bool(row["source"]) is (row["verdict"] != "none") for row in rows)
