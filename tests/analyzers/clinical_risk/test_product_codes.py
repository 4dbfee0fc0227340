"""What may be concluded of a device from its FDA product code."""

from __future__ import annotations

import csv
import gzip
from dataclasses import replace
from importlib import resources
from pathlib import Path

import pytest

from analyzers.clinical_risk import product_code_table
from analyzers.clinical_risk.circumstances import circumstances
from analyzers.clinical_risk.product_codes import concluded, find
from analyzers.clinical_risk.rules import table
from meddojo.config import AnalyzerConfig
from meddojo.device import Device
from meddojo.profile import Connectivity, Profile, Purpose

TABLE = resources.files("analyzers.clinical_risk").joinpath("product_codes.csv")
HEADER = "REVIEW_PANEL|MEDICALSPECIALTY|PRODUCTCODE|DEVICENAME|DEVICECLASS|Implant_Flag|Life_Sustain_support_flag"


def values(code: str) -> dict[str, tuple[str, ...]]:
    return {name: fact.values for name, fact in concluded(code).items()}


def test_the_table_is_small_and_holds_each_code_once() -> None:
    rows = list(csv.reader(TABLE.read_text().splitlines()))
    assert len(TABLE.read_bytes()) < 150_000
    assert len(rows) == len({row[0] for row in rows}) == 6617
    assert {row[1] for row in rows} <= {"1", "2", "3", "U", "N", "F"} and {row[3] for row in rows} == {
        "",
        "L",
        "I",
        "LI",
    }


def test_the_table_is_what_its_script_makes_of_the_database(shared_data: Path) -> None:
    text = gzip.decompress((shared_data / "fda_foiclass_2020.txt.gz").read_bytes()).decode("cp1252")
    made = [list(row) for row in product_code_table.rows(text.splitlines())]
    assert made == list(csv.reader(TABLE.read_text().splitlines()))


def test_every_code_with_a_purpose_exists_and_is_named_once() -> None:
    codes = [code for group in table("product_purposes.toml")["group"] for code in group["codes"].split()]
    assert [code for code in codes if find(code) is None] == [] and len(codes) == len(set(codes))


def test_the_script_reads_flags_and_falls_back_to_the_panel() -> None:
    lines = [HEADER, "CV||NVZ|Pulse|3|Y|Y", "AN|AN|BRW|Protector|1|N|N"]
    assert list(product_code_table.rows(lines)) == [("BRW", "1", "AN", ""), ("NVZ", "3", "CV", "LI")]


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("CBK", {"purpose": "therapy", "delivers": "yes", "life_sustaining": "yes", "fda_device_class": "2"}),
        ("FRN", {"purpose": "therapy", "delivers": "yes", "fda_device_class": "2"}),
        ("MHX", {"purpose": "monitoring", "alarm": "yes", "fda_device_class": "2"}),
        ("LLZ", {"purpose": "diagnosis", "fda_device_class": "2"}),
        ("OUG", {"purpose": "support", "fda_device_class": "1"}),
        (
            "NVZ",
            {
                "purpose": "therapy",
                "delivers": "yes",
                "life_sustaining": "yes",
                "implant": "yes",
                "fda_device_class": "3",
            },
        ),
        ("PPU", {"purpose": "diagnosis", "fda_device_class": "2"}),  # microbiology, by its specialty
        ("QCC", {"fda_device_class": "2"}),  # clinical chemistry, but a calculator of insulin doses
    ],
)
def test_conclusions(code: str, expected: dict[str, str]) -> None:
    assert values(code) == {name: (value,) for name, value in expected.items()}


def test_an_absent_flag_and_an_unknown_code_conclude_nothing() -> None:
    assert "life_sustaining" not in concluded("LSZ")  # a high-frequency ventilator that FDA does not flag
    assert concluded("ZZZ") == concluded("") == {}


def test_a_conclusion_names_its_source() -> None:
    assert concluded("CBK")["life_sustaining"].origin == ("life_sustaining yes (FDA product code CBK)",)


def test_what_is_stated_goes_before_what_is_concluded() -> None:
    device = Device(
        "d", "A", "B", fda_product_code="CBK", profile=Profile(life_sustaining=False, purpose=Purpose.SUPPORT)
    )
    known = circumstances(device, AnalyzerConfig())
    assert known["life_sustaining"].values == ("no",)
    assert known["purpose"].origin == ("purpose support (inventory)",)
    assert known["delivers"].origin == ("delivers yes (FDA product code CBK)",)


def test_what_nobody_knows_is_absent() -> None:
    assert circumstances(Device("d", "A", "B", network_zone="attic"), AnalyzerConfig()) == {}


def test_zone_and_controls() -> None:
    config = AnalyzerConfig(zones={"Monitoring": "restricted"})
    device = Device("d", "A", "B", network_zone="monitoring", profile=Profile(controls=("locked cupboard",)))
    known = circumstances(device, config)
    assert known["exposure"].values == ("restricted",)
    assert known["exposure"].origin == ("zone monitoring is restricted (configuration)",)
    assert known["control.locked-cupboard"].origin == ("control locked cupboard (inventory)",)
    assert circumstances(replace(device, network_zone="DMZ"), config)["exposure"].values == ("open",)
    segmented = replace(device, network_zone="DMZ", profile=Profile(controls=("Network  segmentation",)))
    assert circumstances(segmented, config)["exposure"].values == ("restricted",)


def test_several_connections_are_one_fact() -> None:
    device = Device("d", "A", "B", profile=Profile(connectivity=(Connectivity.SERIAL, Connectivity.WIRED)))
    assert circumstances(device, AnalyzerConfig())["connectivity"].values == ("serial", "wired")
