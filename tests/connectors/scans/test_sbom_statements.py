"""What an SBOM states beside names and versions, in every serialisation alike."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.scans.detect import Kind, detect
from connectors.scans.readers import read_contents
from connectors.scans.sbom import read_sbom
from connectors.scans.sbom.spdx_yaml import MAX_REPEATED
from connectors.scans.sbom.statements import (
    MAX_STATEMENT_LENGTH,
    MAX_STATEMENTS,
    hash_text,
    is_support,
    read_day,
    read_support,
)
from meddojo.errors import InputError
from meddojo.sbom import Component, Dependency, DependencyKind, Sbom
from meddojo.vex import VexStatus
from tests.connectors.scans.sbom_samples import CYCLONEDX, CYCLONEDX_XML, SPDX, SPDX_TEXT, SPDX_XML, SPDX_YAML

NOW = datetime(2025, 3, 1, tzinfo=UTC)


def read(document: Any) -> Sbom:
    return read_sbom(json.dumps(document).encode(), "x")


def test_cyclonedx_states_all_this_in_json_and_xml() -> None:
    sbom = read(CYCLONEDX)
    assert sbom == read_sbom(CYCLONEDX_XML, "x")
    assert sbom.authors == ("B. Om", "team@acme.example", "Acme Medical")
    assert sbom.tools == ("bommer 2.0", "signer") and sbom.lifecycle == "build, clinical trial"
    assert sbom.complete == ("pump",), "the second composition says that openssl's parts are not all there"
    assert sbom.incomplete == ("ssl", "theme"), "what is not specified is not said"
    assert sbom.contacts == (
        "b@acme.example", "team@acme.example", "desk@acme.example", "https://acme.example", "https://sbom.acme.example"
    )  # fmt: skip
    assert sbom.identifier == "urn:uuid:6e3d1f2e-0f0e-4a4e-9f3a-0d2f6a2a1b11" and sbom.version == "3" and sbom.signed
    pump, ssl, crypto, theme, pytest_, aes = sbom.components
    assert pump.supplier == "Acme Distribution" and pump.contacts == ("sales@acme.example",)
    assert crypto.supplier == "P" and aes.kind == "cryptographic-asset"
    assert ssl == Component(
        ref="ssl",
        name="openssl",
        version="3.0.1",
        supplier="OpenSSL project",
        kind="library",
        licences=("Apache-2.0", "Own"),
        hashes=("SHA-256:" + "ab" * 32, "MD5:" + "cd" * 16),
        support_level="Actively maintained",
        end_of_support=date(2026, 9, 7),
        properties=(("acme:reviewed", "yes"), ("bsi:component:executable", "executable")),
        contacts=("ey@openssl.example", "https://openssl.example", "dev@openssl.example"),
        filename="libssl.so.3",
        distribution_urls=("https://openssl.example/libssl.so.3",),
        distribution_hashes=("SHA-1:" + "ef" * 20,),
    )
    assert theme.licences == ("MIT OR BSD-2-Clause",) and theme.properties == (("scope", "optional"),)
    assert pytest_.properties == (("scope", "excluded"),)
    assert set(sbom.dependencies) == {
        Dependency("pump", "ssl"),
        Dependency("pump", "theme", DependencyKind.OPTIONAL),
        Dependency("pump", "pytest", DependencyKind.DEVELOPMENT),
        Dependency("ssl", "aes", DependencyKind.CONTAINS),
        Dependency("ssl", "crypto", DependencyKind.CONTAINS),
    }
    assert sbom.problems == (), "a service is no component, and no missing one"


def test_vulnerabilities_in_xml_are_those_in_json() -> None:
    data = json.dumps(CYCLONEDX).encode()
    assert detect(data, "x") is detect(CYCLONEDX_XML, "x") is Kind.CYCLONEDX_VDR
    contents = read_contents(CYCLONEDX_XML, "x", NOW)
    assert contents == read_contents(data, "x", NOW)
    assert contents.report is not None and contents.statements is not None and not contents.skipped
    (match,) = contents.report.matches
    assert match.vulnerability.cwes == (79,) and match.vulnerability.cvss[0].base_score == 7.5
    (statement,) = contents.statements.statements
    assert (statement.vulnerability, statement.status) == ("CVE-2024-0002", VexStatus.NOT_AFFECTED)


@pytest.mark.parametrize("data", [SPDX_TEXT, SPDX_YAML, SPDX_XML], ids=["tag-value", "yaml", "xml"])
def test_spdx_states_all_this_in_every_serialisation(data: bytes) -> None:
    sbom = read(SPDX)
    assert read_sbom(data, "x") == sbom
    assert detect(data, "x") is Kind.SPDX
    assert sbom.authors == ("Acme", "B. Om") and sbom.tools == ("syft 1.4.0",)
    assert sbom.contacts == ("sbom@acme.example",) and sbom.identifier == "https://acme.example/console/1.10"
    assert sbom.root == "SPDXRef-app" and sbom.complete == ("SPDXRef-ssl",) and not sbom.problems
    assert sbom.incomplete == ("SPDXRef-app",) and sbom.version == "" and not sbom.signed
    assert sbom.dependencies == (Dependency("SPDXRef-app", "SPDXRef-ssl"),)
    app, ssl = sbom.components
    assert app.version == "1.10" and app.support_level == "limited" and app.properties == ()
    assert ssl.licences == ("Apache-2.0",) and ssl.hashes == ("SHA-256:" + "ab" * 32,)
    assert ssl.end_of_support == date(2026, 9, 7) and ssl.support_level == "abandoned"
    assert ssl.properties == (("reviewed", "yes"),)
    assert app.supplier == "" and app.unknown == ("supplier",) and app.distribution_urls == ()
    assert ssl.supplier == "OpenSSL" and ssl.contacts == ("team@openssl.example", "ey@openssl.example")
    assert ssl.filename == "openssl-3.0.1.tar.gz" and ssl.unknown == ()
    assert ssl.distribution_urls == ("https://openssl.example/openssl-3.0.1.tar.gz",)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_yaml_in_other_encodings(encoding: str) -> None:
    data = SPDX_YAML.decode().encode(encoding)
    assert read_sbom(data, "x") == read(SPDX) and detect(data, "x") is Kind.SPDX


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"spdxVersion: SPDX-2.3\npackages: [{name: a}", r"line 3, column \d+: not well-formed YAML"),
        (
            b"spdxVersion: SPDX-2.3\npackages: " + b"[" * 5000,
            "nested deeper|nesting depth",
        ),  # libyaml has a limit of its own since PyYAML 6.0.4
        (b"spdxVersion: SPDX-2.3\npackages: *p", "the alias 'p' has no anchor"),
        (b"spdxVersion: SPDX-2.3\npackages: &p [*p]", "the alias 'p' has no anchor"),
        (b"spdxVersion: SPDX-2.3\n\tpackages: []", "not well-formed YAML"),
        (b"spdxVersion: SPDX-2.3\npackages: M\xfcller", "not UTF-8"),
        (b"- spdxVersion: SPDX-2.3", "not an SBOM"),
        (b"<Document><spdxVersion>SPDX-2.3</spdxVersion><packages>", "not well-formed XML"),
        (b"<Document/>", "not an SBOM"),
        (b'<!DOCTYPE x [<!ENTITY a "b">]><Document><spdxVersion>&a;</spdxVersion></Document>', "document type"),
    ],
)
def test_malformed_spdx(data: bytes, said: str) -> None:
    with pytest.raises(InputError, match=said):
        read_sbom(data, "x")


def test_yaml_aliases_cannot_fill_the_memory() -> None:
    levels = [b"a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    levels += [b"a%d: &a%d [%s]" % (n, n, b", ".join([b"*a%d" % (n - 1)] * 10)) for n in range(1, 10)]
    with pytest.raises(InputError, match=f"repeat more than {MAX_REPEATED:,}"):
        read_sbom(b"spdxVersion: SPDX-2.3\n" + b"\n".join(levels), "x")


def test_yaml_tags_make_nothing_but_text() -> None:
    hostile = (
        b"spdxVersion: SPDX-2.3\npackages:\n- name: !!python/object/apply:os.system ['touch /tmp/owned']\n  SPDXID: a\n"
    )
    assert read_sbom(hostile, "x").components == ()
    assert read_sbom(b'spdxVersion: SPDX-2.3\npackages: [{name: "a\\0b"}]', "x").components[0].name == "a\ufffdb"


@given(st.text(alphabet="spdxVersion: -2.3\n[]{}&*a!|>'\"#,?%@\t", max_size=60))
def test_any_yaml_is_read_or_refused(text: str) -> None:
    try:
        read_sbom(b"spdxVersion: SPDX-2.3\n" + text.encode(), "x")
    except InputError as error:
        assert error.origin == "x"


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("2026-09-07", date(2026, 9, 7)),
        ("2026-09-07T23:00:00Z", date(2026, 9, 7)),
        ("2026-02", date(2026, 2, 28)),
        ("2026", date(2026, 12, 31)),
        ("2026/09/07", date(2026, 9, 7)),
        ("07.09.2026", date(2026, 9, 7)),
        ("7 September 2026", date(2026, 9, 7)),
        ("Sep 7, 2026", date(2026, 9, 7)),
        ("September 2026", date(2026, 9, 30)),
        ("03/04/2026", None),  # March or April
        ("Until hardware support ends", None),
        ("", None),
        ("99999", None),
    ],
)
def test_the_last_day(text: str, day: date | None) -> None:
    assert read_day(text) == day


def test_which_property_says_how_long() -> None:
    support = read_support(
        [("eol", "2030-01-01"), ("End-of-Support", "2027-06"), ("EOS", "unknown"), ("support_level", ""), ("x", "y")]
    )
    assert support.last_day == date(2027, 6, 30) and support.level == ""
    assert support.others == (("eol", "2030-01-01"), ("EOS", "unknown"), ("x", "y"))
    assert read_support([("cdx:eol", "2031")]).last_day == date(2031, 12, 31)
    assert is_support("acme:End of Support") and not is_support("supporter")


@pytest.mark.parametrize(
    ("algorithm", "text"),
    [
        ("SHA256", "SHA-256"),
        ("sha-1", "SHA-1"),
        ("SHA3-256", "SHA3-256"),
        ("sha3_512", "SHA3-512"),
        ("BLAKE2b-384", "BLAKE2B-384"),
        ("blake3", "BLAKE3"),
        ("MD5", "MD5"),
    ],
)
def test_algorithms_go_by_one_name(algorithm: str, text: str) -> None:
    assert hash_text(algorithm, " AB ") == f"{text}:ab"
    assert hash_text(algorithm, "") == hash_text("", "ab") == ""


def test_statements_are_capped() -> None:
    many = [{"name": f"p{number}", "value": "v" * 10_000} for number in range(1000)]
    part = {"name": "a", "properties": many, "licenses": [{"license": {"name": f"l{n}"}} for n in range(1000)]}
    (component,) = read({"bomFormat": "CycloneDX", "specVersion": "1.5", "components": [part]}).components
    assert len(component.properties) == len(component.licences) == MAX_STATEMENTS
    assert all(len(value) == MAX_STATEMENT_LENGTH and value.endswith("…") for _, value in component.properties)


@pytest.mark.parametrize(("aggregate", "refs"), [("unknown", ("r", "a")), ("not_specified", ()), ("complete", ())])
def test_a_whole_that_is_incomplete_is_so_for_everybody(aggregate: str, refs: tuple[str, ...]) -> None:
    head = {"bomFormat": "CycloneDX", "specVersion": "1.6", "metadata": {"component": {"bom-ref": "r", "name": "r"}}}
    body = {"components": [{"bom-ref": "a", "name": "a"}], "compositions": [{"aggregate": aggregate}]}
    sbom = read(head | body)
    assert sbom.incomplete == refs and sbom.complete == (("r",) if aggregate == "complete" else ())


@pytest.mark.parametrize(
    ("given", "version"), [(2, "2"), ("2", "2"), ("two", ""), (1.5, ""), (None, ""), (True, ""), ([], "")]
)
def test_the_version_of_the_document_is_a_number(given: Any, version: str) -> None:
    sbom = read({"bomFormat": "CycloneDX", "specVersion": "1.6", "version": given, "components": [{"name": "a"}]})
    assert sbom.version == version and sbom.identifier == "" and not sbom.signed


def test_contacts_and_references_in_the_wrong_shape_cost_no_component() -> None:
    part = {
        "name": "a",
        "supplier": {"name": "A", "url": "https://a.example", "contact": {"email": "x@a.example"}},
        "manufacturer": "A",
        "externalReferences": [7, {"type": "distribution", "url": 5, "hashes": "x"}],
    }
    head = {"bomFormat": "CycloneDX", "specVersion": "1.6", "signature": "x"}
    sbom = read(head | {"components": [part], "metadata": {"manufacturer": 1, "authors": ["B. Om"]}})
    (component,) = sbom.components
    assert component.supplier == "A" and component.contacts == ("https://a.example",)
    assert component.distribution_urls == component.distribution_hashes == () and not sbom.signed
    assert len(sbom.problems) == len(set(sbom.problems)) == 7, "each is told once"


def test_tools_of_older_cyclonedx_and_a_composition_of_the_whole() -> None:
    sbom = read(
        {
            "bomFormat": "CycloneDX",
            "specVersion": "1.3",
            "metadata": {
                "tools": [{"vendor": "v", "name": "t", "version": "1"}, {"name": "u"}],
                "component": {"bom-ref": "r", "name": "r"},
            },
            "components": [{"name": "a"}],
            "compositions": [{"aggregate": "complete"}],
        }
    )
    assert sbom.tools == ("t 1", "u") and sbom.complete == ("r",)


def test_development_is_what_the_scope_or_npm_says() -> None:
    flag = [{"name": "cdx:npm:package:development", "value": "true"}]
    parts = [
        {"bom-ref": "a", "name": "a"},
        {"bom-ref": "b", "name": "b", "properties": flag},
        {"bom-ref": "c", "name": "c", "properties": flag, "scope": "optional"},
    ]
    sbom = read(
        {
            "bomFormat": "CycloneDX",
            "specVersion": "1.5",
            "components": parts,
            "dependencies": [{"ref": "a", "dependsOn": ["b", "c"]}],
        }
    )
    assert [edge.kind.value for edge in sbom.dependencies] == ["development", "optional"]
