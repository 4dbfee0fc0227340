"""``meddojo match``: what touches a device, how probably, and why."""

from __future__ import annotations

import json

from tests.scheduler.conftest import Hospital


def test_a_device_of_the_inventory_with_all_that_was_compared(whole: Hospital) -> None:
    done = whole.cli("match", "icu-monitor-mx800", "--all", "--json")
    assert done.code == 0
    (device,) = json.loads(done.stdout)
    outcomes = {(row["vulnerability"], row["outcome"]) for row in device["comparisons"]}
    assert ("CVE-2020-16216", "delivered") in outcomes
    assert ("CVE-2018-10597", "not affected") in outcomes
    ruled_out = next(row for row in device["comparisons"] if row["outcome"] == "not affected")
    assert {piece["kind"] for piece in ruled_out["evidence"]} >= {"vendor", "product", "version"}
    assert whole.cli("match", "icu-monitor-mx800", "--json").stdout.count("not affected") == 0


def test_a_device_that_is_in_no_inventory(whole: Hospital) -> None:
    done = whole.cli("match", "--vendor", "Phillips", "--model", "IntelliVue MX800", "--version", "M.01")
    assert done.code == 0
    assert "IntelliVue MX800 M.01:" in done.stdout
    assert "vendor 'Phillips' = " in done.stdout
    assert "CVE-2018-10597" in done.stdout


def test_one_file_against_the_whole_inventory(whole: Hospital) -> None:
    file = whole.folder / "feeds" / "csaf" / "mde-2018-002.json"
    done = whole.cli("match", "--file", str(file), "--json")
    found = {device["device"]: device["comparisons"] for device in json.loads(done.stdout)}
    assert {row["vulnerability"] for row in found["ward-monitor-mp70"]} == {
        "CVE-2018-10597", "CVE-2018-10599", "CVE-2018-10601",
    }  # fmt: skip
    assert found["dialysis-prismax"] == []


def test_half_a_device_is_refused_with_a_hint(whole: Hospital) -> None:
    done = whole.cli("match", "--vendor", "Philips")
    assert done.code == 2
    assert "give both --vendor and --model" in done.stderr
    done = whole.cli("match", "icu-monitor-mx80")
    assert done.code == 2
    assert "did you mean 'icu-monitor-mx800'?" in done.stderr
