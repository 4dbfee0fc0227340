"""Malformed files among good ones: one clear error each, the rest delivered, exit code 3, never a traceback."""

from __future__ import annotations

import copy
import gzip
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.scheduler.conftest import CHOSEN, GATEWAY, REPOSITORY, Done, Hospital, _copy

EXAMPLE = REPOSITORY / "examples" / "hospital"
MEBIBYTE = 2**20


def example(name: str) -> Any:
    return json.loads((EXAMPLE / name).read_text("utf-8"))


def changed(name: str, change: Callable[[Any], object]) -> bytes:
    document = copy.deepcopy(example(name))
    change(document)
    return json.dumps(document).encode()


CSAF = "feeds/csaf/mde-2021-003.json"
NVD = "feeds/nvd/devices.json"
KEV = "feeds/kev.json"
GRYPE = "scans/infusion-gateway.grype.json"
SBOM = "sboms/infusion-gateway.cdx.json"
TEXT = (EXAMPLE / CSAF).read_text("utf-8")

XML_BOMB = b"""<?xml version="1.0"?>
<!DOCTYPE bom [<!ENTITY a "aaaaaaaaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;">]>
<bom xmlns="http://cyclonedx.org/schema/bom/1.5"><components><component type="library"><name>&c;</name></component>
</components></bom>"""
XML_FILE = b"""<?xml version="1.0"?><!DOCTYPE bom [<!ENTITY x SYSTEM "file:///etc/passwd">]>
<bom xmlns="http://cyclonedx.org/schema/bom/1.5"><components>&x;</components></bom>"""
EPSS = b"#model_version:v2023.03.01,score_date:2024-01-01T00:00:00+0000\ncve,epss,percentile\n"

MALFORMED: dict[str, tuple[bytes, str]] = {
    "truncated.json": (TEXT.encode()[:700], "ends too early"),
    "truncated-value.json": (TEXT.encode().rstrip()[:-1], "ends too early"),
    "xml-bomb.xml": (XML_BOMB, "document type or entities"),
    "xml-other-file.xml": (XML_FILE, "document type or entities"),
    "nul-bytes.json": (TEXT.encode().replace(b'"title"', b'"ti\0tle"'), "NUL byte"),
    "only-nul.json": (bytes(1000), "NUL byte"),
    "deep-lists.json": (b"[" * 10_000 + b"]" * 10_000, "deeper than 200"),
    "deep-objects.json": (b'{"a":' * 10_000 + b"1" + b"}" * 10_000, "deeper than 200"),
    "utf-16-without-mark.json": (TEXT.encode("utf-16-le"), "NUL byte"),
    "latin-1.json": (TEXT.replace("MedDojo", "Gerät", 1).encode("latin-1"), "not UTF-8"),
    "grype-without-matches.json": (changed(GRYPE, lambda report: report.pop("matches")), "matches"),
    "grype-wrong-matches.json": (changed(GRYPE, lambda report: report.update(matches={})), "matches"),
    "empty.json": (b"", ""),
    "array.json": (b"[1, 2, 3]", "not a kind of file"),
    "text.json": (b"see attachment", "not a kind of file"),
    "picture.json": (b"\x89PNG\r\n\x1a\n" + bytes(range(256)), "not UTF-8"),
    "no.json.zst": (b"\x28\xb5\x2f\xfdthis is no archive", "damaged compressed data"),
    "no.json.gz": (b"\x1f\x8b\x08\x00this is no archive", ""),
    "truncated.json.gz": (gzip.compress(TEXT.encode())[:-20], "ends too early"),
    "csaf-wrong-types.json": (
        changed(CSAF, lambda csaf: csaf.update(vulnerabilities="none")),
        "/vulnerabilities: a text",
    ),
    "csaf-wrong-document.json": (changed(CSAF, lambda csaf: csaf["document"].update(tracking=[])), "tracking"),
    "csaf-huge-id.json": (
        changed(CSAF, lambda csaf: csaf["document"]["tracking"].update(id="A" * 100_000)),
        "longer than 300 bytes",
    ),
    "nvd-without-id.json": (changed(NVD, lambda page: page["vulnerabilities"][3]["cve"].pop("id")), "/3/cve/id"),
    "nvd-record-is-text.json": (
        changed(NVD, lambda page: page["vulnerabilities"].__setitem__(3, "CVE")),
        "/vulnerabilities/3",
    ),
    "kev-without-dates.json": (changed(KEV, lambda kev: kev["vulnerabilities"][0].pop("dateAdded")), "dateAdded"),
    "epss-with-words.csv": (EPSS + b"CVE-2021-44228,high,0.99\nCVE-2019-0708,0.97,0.99\n", "line 3"),
    "sbom-without-components.json": (changed(SBOM, lambda bom: bom.pop("components")), "lists no component"),
    "sbom-wrong-components.json": (changed(SBOM, lambda bom: bom.update(components="all")), "lists no component"),
}
"""Name -> content, and words that the one error about it has to hold beside the name."""


def odd_but_fine() -> Iterator[tuple[str, bytes]]:
    """What looks wrong and is not, or not wrong enough to lose it."""

    def cycles(bom: Any) -> None:
        refs = [component["bom-ref"] for component in bom["components"][:3]]
        bom["dependencies"] = [
            {"ref": ref, "dependsOn": [after]} for ref, after in zip(refs, refs[1:] + refs[:1], strict=True)
        ]

    def bad_vector(page: Any) -> None:
        for metrics in page["vulnerabilities"][0]["cve"]["metrics"].values():
            metrics[0]["cvssData"]["vectorString"] = "CVSS:3.1/AV:Z"

    yield "sbom-with-cycles.json", changed(SBOM, cycles)
    yield "csaf-without-products.json", changed(CSAF, lambda csaf: csaf.pop("product_tree"))
    yield "csaf-huge-title.json", changed(CSAF, lambda csaf: csaf["document"].update(title="A" * 3_000_000))
    yield "nvd-with-bad-vector.json", changed(NVD, bad_vector)


class Imported:
    """One import of all of it."""

    def __init__(self, hospital: Hospital) -> None:
        self.folder = hospital.folder / "in"
        self.folder.mkdir()
        for name, (content, _) in MALFORMED.items():
            (self.folder / name).write_bytes(content)
        for name, content in odd_but_fine():
            (self.folder / name).write_bytes(content)
        (self.folder / "directory.json").mkdir()
        for name in ("first-good.json", "last-good.json"):
            (self.folder / name).write_bytes((EXAMPLE / CSAF).read_bytes())
        files = ["first-good.json", *MALFORMED, *(name for name, _ in odd_but_fine()), "directory.json", "missing.json"]
        paths = [self.folder / name for name in (*files, "last-good.json")]
        self.done: Done = hospital.cli("import", *paths, "--device", GATEWAY, "--json")

    def errors(self, name: str) -> list[str]:
        return [line for line in self.done.errors if f"{self.folder / name}: " in line]

    def skipped(self, name: str) -> list[dict[str, str]]:
        return [
            each
            for each in self.done.result["skipped"]
            if each["origin"].split(": line ")[0] == str(self.folder / name)
        ]


@pytest.fixture(scope="module")
def imported(tmp_path_factory: pytest.TempPathFactory) -> Imported:
    return Imported(_copy(tmp_path_factory.mktemp("malformed") / "hospital", CHOSEN))


@pytest.mark.parametrize("name", MALFORMED)
def test_a_malformed_file_is_one_clear_error_that_names_it(imported: Imported, name: str) -> None:
    (line,) = imported.errors(name)
    (skipped,) = imported.skipped(name)
    assert MALFORMED[name][1] in line
    assert len(line) < 1000, "nobody reads a screenful"
    assert name not in skipped["reason"], "the origin says it already"


@pytest.mark.parametrize(
    ("name", "cause"), [("directory.json", "no .json or .jsonl file in this folder"), ("missing.json", "no such file")]
)
def test_what_is_no_file_is_one_clear_error(imported: Imported, name: str, cause: str) -> None:
    (line,) = imported.errors(name)
    assert cause in line and len(imported.skipped(name)) == 1


@pytest.mark.parametrize("name", [name for name, _ in odd_but_fine()])
def test_what_is_only_odd_is_taken_in(imported: Imported, name: str) -> None:
    assert imported.errors(name) == [] and imported.skipped(name) == []
    assert re.search(rf"/{name}: [1-9]\d* new or changed", imported.done.stderr)


def test_the_good_files_around_them_are_taken_in_and_delivered(imported: Imported) -> None:
    assert imported.done.code == 3
    assert f"{imported.folder / 'first-good.json'}: 1 new or changed" in imported.done.stderr
    assert f"{imported.folder / 'last-good.json'}: " in imported.done.stderr.splitlines()[-2]
    assert imported.done.result["findings"] > 0
    assert "root:" not in imported.done.stderr + imported.done.stdout, "no other file was read"
    assert len(imported.done.errors) == len(imported.done.result["skipped"]) == len(MALFORMED) + 2


MEASURED = """
import resource, subprocess, sys
code = subprocess.run(sys.argv[1:]).returncode
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
sys.exit(code)
"""


def test_a_gigabyte_of_zeros_is_refused_within_bounded_memory_and_time(hospital: Hospital) -> None:
    bomb = hospital.folder / "zeros.json.gz"
    bomb.write_bytes(gzip.compress(bytes(16 * MEBIBYTE), 1) * 64)
    assert bomb.stat().st_size < 10 * MEBIBYTE
    words = [sys.executable, "-m", "scheduler.cli", "import", str(bomb), "--store-only"]
    environment = os.environ | {"PYTHONPATH": str(REPOSITORY)}
    # Started by a small process: a child's peak begins with the size of the process that it is forked from.
    measured = [sys.executable, "-c", MEASURED, *words]
    done = subprocess.run(measured, cwd=hospital.folder, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 3
    assert done.stderr.count("error:") == 1 and f"{bomb}: larger than 512 MiB when unpacked" in done.stderr
    assert int(done.stdout.splitlines()[-1]) / 1024 < 700, "what may be unpacked at most, and the program itself"


def test_a_run_over_malformed_feeds_names_each_and_delivers_the_rest(hospital: Hospital) -> None:
    before = hospital.contents()
    bad = {
        "feeds/csaf/0-truncated.json": TEXT.encode()[:700],
        "feeds/csaf/1-empty.json": b"",
        "feeds/csaf/2-array.json": b"[1, 2]",
        "feeds/csaf/3-deep.json": b"[" * 10_000 + b"]" * 10_000,
        "feeds/csaf/4-latin-1.json": MALFORMED["latin-1.json"][0],
        "feeds/csaf/5-wrong.json": MALFORMED["csaf-wrong-types.json"][0],
        "feeds/csaf/6-zstd.json.zst": MALFORMED["no.json.zst"][0],
        "feeds/nvd/0-nul.json": MALFORMED["nul-bytes.json"][0],
        "feeds/nvd/1-without-id.json": MALFORMED["nvd-without-id.json"][0],
    }
    for name, content in bad.items():
        (hospital.folder / name).write_bytes(content)
    (hospital.folder / "feeds" / "kev.json").write_bytes(MALFORMED["kev-without-dates.json"][0])
    with (hospital.folder / "feeds" / "epss.csv").open("a") as epss:
        epss.write("CVE-2021-44228,unlikely,0.5\n")
    done = hospital.cli("run", "--json")
    assert done.code == 3
    for name in (*bad, "feeds/kev.json", "feeds/epss.csv"):
        lines = [line for line in done.errors if str(hospital.folder / name) in line]
        assert len(lines) == 1, f"{name}: {lines}"
    assert len(done.result["skipped"]) == len(bad) + 2
    assert done.result["changes"] == {"new": 0, "changed": 0, "gone": 0}
    assert hospital.contents()["finding"] == before["finding"]


def test_a_feed_that_cannot_be_read_at_all_is_one_error(hospital: Hospital) -> None:
    shutil.rmtree(hospital.folder / "feeds" / "csaf")
    (hospital.folder / "feeds" / "csaf").mkdir()
    (hospital.folder / "feeds" / "kev.json").write_bytes(b'{"vulnerabilities": {}}')
    (hospital.folder / "feeds" / "epss.csv").write_bytes(b"\xff\xfe")
    done = hospital.cli("run", "--json")
    assert done.code == 3
    assert sorted(each["origin"] for each in done.result["skipped"]) == ["feed csaf", "feed epss", "feed kev"]
    assert len(done.errors) == 3


CSV = """vendor,model,version,location
OFFIS,DCMTK,3.6.6,Data centre
Acme,"Pump 3,1.0,Ward
Philips,Vue PACS,12.2.5.0,Data centre
"""


def test_an_inventory_with_a_missing_quotation_mark_loses_no_more_than_it_must(fresh: Hospital) -> None:
    (fresh.folder / "devices.csv").write_text(CSV)
    fresh.replace("meddojo.toml", "inventory.toml", "devices.csv")
    fresh.config.write_text(fresh.config.read_text().replace("[[scans]]", "[unused]").split("[unused]")[0])
    done = fresh.cli("run", "--json")
    assert done.code == 3 and done.result["devices"] == 1
    (skipped,) = done.result["skipped"]
    assert "lines 3 to 4" in skipped["reason"] and "quotation mark" in skipped["reason"]
    assert str(fresh.folder / "devices.csv") in skipped["origin"]
    assert done.result["findings"] == 6


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('vendor = "OFFIS"', 'vendor = "OFFIS', "not valid TOML"),
        ('vendor = "OFFIS"', 'vendro = "OFFIS"', "did you mean 'vendor'"),
    ],
)
def test_a_typo_in_the_inventory_stops_before_anything_changes(
    hospital: Hospital, old: str, new: str, told: str
) -> None:
    before = hospital.contents()
    hospital.replace("inventory.toml", old, new)
    done = hospital.cli("run")
    assert done.code == 2 and len(done.errors) == 1
    assert told in done.stderr and str(hospital.folder / "inventory.toml") in done.stderr
    assert hospital.contents() == before


HOSTILE = [
    "../../etc/passwd",
    "<script>alert(1)</script>",
    "'; DROP TABLE finding; --",
    "[bold red]x[/bold red]",
    "=cmd|' /C calc'!A0",
    "‮evil",
    "ä" * 200,
    "d" * 500,
    "{{ 7 * 7 }}",
    "%s%n",
]


def test_hostile_names_of_devices_are_only_names(fresh: Hospital) -> None:
    tables = [
        f"[[device]]\nid = {json.dumps(name)}\nvendor = {json.dumps(name)}\nmodel = 'DCMTK'\n"
        "cpe = 'cpe:2.3:a:offis:dcmtk:3.6.6:*:*:*:*:*:*:*'\n"
        for name in HOSTILE
    ]
    (fresh.folder / "inventory.toml").write_text("".join(tables))
    fresh.config.write_text(fresh.config.read_text().split("[[scans]]")[0] + '[report]\ndirectory = "report"\n')
    done = fresh.cli("run", "--json", "-v")
    assert done.code == 0 and done.result["devices"] == done.result["devices_with_findings"] == len(HOSTILE)
    assert sorted(file.name for file in (fresh.folder / "report").iterdir()) == [
        "findings.json",
        "findings.sarif",
        "report.html",
    ]
    page = (fresh.folder / "report" / "report.html").read_text("utf-8")
    assert "<script>alert(1)" not in page and "{{ 7 * 7 }}" in page
    assert fresh.cli("run").code == 0, "and the next night finds the store as it was"


@pytest.mark.parametrize(
    "content", [b"\0" * 100, b"id\nd1\n", b"PK\x03\x04zip", b"", b"device = 3\n", b"[device]\nid='x'\n"]
)
@pytest.mark.parametrize("name", ["devices.csv", "inventory.toml"])
def test_an_inventory_that_is_none_is_one_clear_error(fresh: Hospital, name: str, content: bytes) -> None:
    (fresh.folder / name).write_bytes(content)
    fresh.config.write_text(f'inventory.file = "{name}"\n')
    done = fresh.cli("run")
    assert done.code == 2 and len(done.errors) == 1 and str(Path(name)) in done.stderr and "hint:" in done.stderr
