"""Inventories as hospitals keep and export them."""

from __future__ import annotations

import random
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.inventory import Inventory, read_inventory
from connectors.inventory_ids import Row, identify, slug
from meddojo.errors import ConfigError, InputError
from meddojo.profile import NOTHING_STATED, Connectivity, PatientData, PhysicalAccess, Profile, Purpose


def read(folder: Path, text: str | bytes, name: str = "inventory.csv") -> Inventory:
    file = folder / name
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_inventory(file)


def test_toml_device_with_every_key(tmp_path: Path) -> None:
    text = """
        [[device]]
        id = "mon-1"
        vendor = "Philips"
        model = "IntelliVue MX800"
        version = 1.10
        quantity = 24
        location = "ICU"
        network_zone = "monitoring"
        udi_di = "00884838000001"
        cpe = "cpe:2.3:h:philips:mx800:-:*:*:*:*:*:*:*"
        purl = "pkg:generic/mx800@1.10"
        fda_product_code = "mhx"
        iec62304_class = "Class C"
        sbom_file = "sboms/../sboms/mx800.json"
        imaging_model = "models/petct"
        imaging_model_key = "models/petct.pub"
    """
    inventory = read(tmp_path, text, "inventory.toml")
    (device,) = inventory.devices
    assert (device.id, device.version, device.quantity) == ("mon-1", "1.10", 24)
    assert (device.fda_product_code, device.iec62304_class) == ("MHX", "C")
    assert device.sbom_file == str(tmp_path / "sboms" / "mx800.json")
    assert device.imaging_model == str(tmp_path / "models" / "petct")
    assert device.imaging_model_key == str(tmp_path / "models" / "petct.pub")
    assert inventory.skipped == () and inventory.notes == ()


@pytest.mark.parametrize(
    ("key", "meant"), [("vresion", "'version'"), ("quanity", "'quantity'"), ("manufacturr", "'manufacturer'")]
)
def test_a_misspelt_toml_key_names_the_nearest(tmp_path: Path, key: str, meant: str) -> None:
    with pytest.raises(InputError, match=f"line 1, key '{key}'(.|\n)*did you mean {meant}"):
        read(tmp_path, f'[[device]]\nvendor = "A"\nmodel = "B"\n{key} = "1"\n', "i.toml")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[[devices]]\nvendor = "A"\n', "not known at the top level"),
        ('[device]\nvendor = "A"\n', "two brackets"),
        ("[[device]\n", "not valid TOML"),
        ("x = " + "[" * 10_000, "TOML|deep"),
        ("x = " + "9" * 10_000, "not valid TOML"),
    ],
)
def test_a_toml_file_that_cannot_be_read(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(InputError, match=said):
        read(tmp_path, text, "i.toml")


def test_a_bad_toml_row_names_its_line(tmp_path: Path) -> None:
    text = '# mine\n[[device]]\nvendor = "A"\nmodel = "B"\n\n[[device]]\nvendor = "A"\nmodel = ["C"]\n'
    inventory = read(tmp_path, text, "i.toml")
    assert [device.model for device in inventory.devices] == ["B"]
    assert inventory.skipped[0].reason == "line 6, key model: neither a text nor a number"


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_csv_dialects(tmp_path: Path, delimiter: str, mark: bytes, end: str) -> None:
    lines = [["Manufacturer", "Model-Name", "Software Version", "Qty"], ["Dräger", '"Evita, V800; x"', "2.n", "3"]]
    data = mark + end.join(delimiter.join(line) for line in lines).encode()
    (device,) = read(tmp_path, data).devices
    assert (device.vendor, device.model, device.version, device.quantity) == ("Dräger", "Evita, V800; x", "2.n", 3)
    assert device.id == "drager-evita-v800-x"


def test_excel_marks_its_delimiter(tmp_path: Path) -> None:
    inventory = read(tmp_path, "sep=;\r\nvendor;model;quantity\r\nA;B;1\r\nA;C;none\r\n")
    assert len(inventory.devices) == 1
    assert inventory.skipped[0].reason.startswith("line 4, column quantity: 'none' is not a positive whole number")


def test_of_two_columns_with_one_name_the_first_counts(tmp_path: Path) -> None:
    inventory = read(tmp_path, "vendor,model,vendor\nA,B,C\n")
    assert inventory.devices[0].vendor == "A" and "'vendor'" in inventory.notes[0]


def test_columns_of_no_use_are_reported(tmp_path: Path) -> None:
    inventory = read(tmp_path, "Vendor,Product,Model,Purchase date,Locaton\nA,no,B,2020-01-01,x\n")
    assert inventory.devices[0].model == "B"
    assert inventory.notes == (
        f"{tmp_path / 'inventory.csv'}: columns not used: 'Product', 'Purchase date',"
        " 'Locaton' (did you mean location?)",
    )


@pytest.mark.parametrize(
    ("column", "value", "cause"),
    [
        ("model", "", "is empty"),
        ("quantity", "0", "positive"),
        ("quantity", "-2", "positive"),
        ("quantity", "1.5", "positive"),
        ("quantity", "\u0663", "positive"),
        ("iec62304_class", "D", "not A, B or C"),
        ("cpe", "cpe:/a:philips:mx800", "not a CPE 2.3 name"),
        ("cpe", "cpe:2.3:a:philips:mx800:1:*:*:*:*:*:*", "not a CPE 2.3 name"),
        ("purl", "generic/mx800", "not a package URL"),
        ("fda_product_code", "MHXX", "three letters"),
        ("sbom_file", "../../etc/passwd", "leaves the folder"),
        ("imaging_model", "../../etc", "leaves the folder"),
        ("location", "x" * 501, "longer than"),
        ("location", "a\x1b[31mb", "control character"),
    ],
)
def test_a_bad_csv_row_is_skipped_and_the_rest_goes_on(tmp_path: Path, column: str, value: str, cause: str) -> None:
    row = {"vendor": "A", "model": "B", column: value}
    text = f"{','.join(row)}\n{','.join(row.values())}\n"
    good = ",".join({"vendor": "Good", "model": "One"}.get(name, "") for name in row)
    inventory = read(tmp_path, text + good + "\n")
    assert [device.vendor for device in inventory.devices] == ["Good"]
    (skipped,) = inventory.skipped
    assert skipped.origin == str(tmp_path / "inventory.csv")
    assert skipped.reason.startswith(f"line 2, column {column}: ") and cause in skipped.reason


def test_shifted_and_unclosed_rows_are_skipped(tmp_path: Path) -> None:
    text = 'vendor,model,location\nA,B,x,y\nA,"C"D,z\nA,E,w\nA,"F,v\nA,G,u\n'
    inventory = read(tmp_path, text)
    assert [device.model for device in inventory.devices] == ["E"]
    reasons = [skipped.reason for skipped in inventory.skipped]
    assert reasons[0].startswith("line 2: 4 values under 3 headings")
    assert reasons[1].startswith("line 3: ") and "quotation mark" in reasons[1]
    assert reasons[2].startswith("lines 5 to 6: ") and "quotation mark" in reasons[2]


def test_absolute_sbom_paths_are_the_operators_business(tmp_path: Path) -> None:
    elsewhere = tmp_path.parent / "elsewhere.json"
    assert read(tmp_path, f"vendor,model,sbom\nA,B,{elsewhere}\n").devices[0].sbom_file == str(elsewhere)


@pytest.mark.parametrize("text", ["", "vendor,model\n", "vendor,model\n\n,\n"])
def test_an_inventory_without_devices(tmp_path: Path, text: str) -> None:
    with pytest.raises((ConfigError, InputError), match=r"names no device|no column for the vendor"):
        read(tmp_path, text)


def test_missing_and_unreadable_files(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"no such file\n  hint: "):
        read_inventory(tmp_path / "none.toml")
    with pytest.raises(ConfigError, match="names no device"):
        read(tmp_path, "", "i.toml")
    with pytest.raises(ConfigError, match="none of 1 devices could be read; line 2, column model: is empty"):
        read(tmp_path, "vendor,model\nA,\n")
    with pytest.raises(InputError, match="Excel workbook"):
        read(tmp_path, b"PK\x03\x04\x00\x00")
    with pytest.raises(InputError, match="byte 14: not UTF-8"):
        read(tmp_path, b"vendor,model\nA\xe4,B\n")
    with pytest.raises(InputError, match="NUL"):
        read(tmp_path, b"vendor,model\nA\x00,B\n")
    with pytest.raises(InputError, match="no column for the vendor and the model"):
        read(tmp_path, "name,serial\nA,B\n")


def test_an_id_given_twice_names_both_lines(tmp_path: Path) -> None:
    inventory = read(tmp_path, "id,vendor,model\nx,A,B\ny,A,C\nx,A,D\n")
    assert [device.model for device in inventory.devices] == ["B", "C"]
    assert inventory.skipped[0].reason == "line 4, column id: 'x' is taken by line 2; give each device its own"


def test_a_derived_id_survives_an_update(tmp_path: Path) -> None:
    before, after = (read(tmp_path, f"vendor,model,version\nA,B,{version}\n").devices[0] for version in ("1", "2"))
    assert before.id == after.id == "a-b"


def test_alike_rows_are_one_device(tmp_path: Path) -> None:
    text = (
        "vendor,model,version,quantity,fda_code\nBaxter,Spectrum,8,2,\nBAXTER,spectrum,8,3,FRN\nBaxter,Spectrum,8,,\n"
    )
    inventory = read(tmp_path, text)
    (device,) = inventory.devices
    assert (device.id, device.vendor, device.quantity, device.fda_product_code) == (
        "baxter-spectrum",
        "Baxter",
        6,
        "FRN",
    )
    assert "line 2, line 3, line 4 are the same device; counted as one with quantity 6" in inventory.notes[0]


def test_versions_are_told_apart_in_any_order(tmp_path: Path) -> None:
    lines = ["A,B,1.0,x", "A,B,2.0,x", "A,B,,y", "A,B,2.0,", "A B,,1.0,x", "a-b,C,1,"]
    expected = None
    for seed in range(10):
        random.Random(seed).shuffle(lines)
        inventory = read(tmp_path, "vendor,model,version,location\n" + "\n".join(lines) + "\n")
        ids = {(device.vendor, device.version, device.location): device.id for device in inventory.devices}
        assert expected in (None, ids)
        expected = ids
    assert expected == {
        ("A", "1.0", "x"): "a-b-x-1-0",
        ("A", "2.0", "x"): "a-b-x-2-0",
        ("A", "", "y"): "a-b-y",
        ("A", "2.0", ""): "a-b",
        ("a-b", "1", ""): "a-b-c",
    }


def test_contradicting_rows_stay_apart(tmp_path: Path) -> None:
    text = "vendor,model,version,sbom\nA,B,1,one.json\nA,B,1,two.json\nA,B,1,two.json\n"
    first = read(tmp_path, text)
    assert [device.quantity for device in first.devices] == [1, 2]
    assert len({device.id for device in first.devices}) == 2
    (tmp_path / "moved").mkdir()
    moved = read(tmp_path / "moved", text)
    assert [device.id for device in moved.devices] == [device.id for device in first.devices]


def test_a_given_id_is_never_derived_again(tmp_path: Path) -> None:
    inventory = read(tmp_path, "id,vendor,model,version\n,A,B,1\na-b,C,D,1\n")
    assert [device.id for device in inventory.devices] == ["a-b-1", "a-b"]


@pytest.mark.parametrize(
    ("text", "expected"), [("Dräger Evita", "drager-evita"), ("Großgerät Ø", "grossgerat-o"), ("  a__b ", "a-b")]
)
def test_slug_folds_to_ascii(text: str, expected: str) -> None:
    assert slug(text) == expected


def test_slug_of_other_scripts_keeps_them_apart() -> None:
    assert slug("東芝") != slug("日立") and slug("東芝").isascii() and slug("東芝")


_ROWS = st.lists(
    st.fixed_dictionaries(
        {
            "id": st.sampled_from(["", "", "", "a-b", "x"]),
            "vendor": st.sampled_from(["a", "A", "a b", "é", "東"]),
            "model": st.sampled_from(["b", "b-1", "1"]),
            "version": st.sampled_from(["", "1", "1.0"]),
            "location": st.sampled_from(["", "b", "1"]),
            "cpe": st.sampled_from(["", "p", "q"]),
        }
    ),
    max_size=12,
)


@given(_ROWS, st.randoms())
def test_ids_are_unique_and_do_not_depend_on_order(values: list[dict[str, str]], rng: random.Random) -> None:
    rows = [Row(f"line {number}", value) for number, value in enumerate(values)]
    devices, skipped, _ = identify(rows, "f")
    assert len({device.id for device in devices}) == len(devices)
    assert sum(device.quantity for device in devices) + len(skipped) == len(rows)
    derived = {device.id for device in devices} - {"a-b", "x"}
    rng.shuffle(rows)
    assert {device.id for device in identify(rows, "f")[0]} - {"a-b", "x"} == derived


@settings(deadline=None)
@given(st.text() | st.binary(), st.sampled_from(["i.csv", "i.toml"]), st.booleans())
def test_whatever_is_in_the_file(
    tmp_path_factory: pytest.TempPathFactory, content: str | bytes, name: str, headed: bool
) -> None:
    data = content.encode(errors="surrogatepass") if isinstance(content, str) else content
    head = b"vendor,model,quantity,purl,cpe\nA,B,1,," if name == "i.csv" else b'[[device]]\nvendor="A"\nmodel='
    try:
        inventory = read(tmp_path_factory.getbasetemp(), head + data if headed else data, name)
    except (ConfigError, InputError):
        return
    assert inventory.devices


@pytest.mark.slow
def test_a_large_export_is_read_quickly(tmp_path: Path) -> None:
    header = "vendor,model,version,quantity,location,network_zone,cpe,purl,fda_code,iec62304_class\n"
    lines = (
        f"Vendor {n % 40},Model {n % 900},{n % 7}.{n % 10},1,Ward {n % 300},zone {n % 5},"
        f"cpe:2.3:h:v{n % 40}:m{n % 900}:-:*:*:*:*:*:*:*,pkg:generic/m{n % 900}@{n % 7},MHX,B\n"
        for n in range(100_000)
    )
    file = tmp_path / "large.csv"
    file.write_text(header + "".join(lines), encoding="utf-8")
    begun = time.process_time()
    inventory = read_inventory(file)
    assert time.process_time() - begun < 5.0
    assert sum(device.quantity for device in inventory.devices) == 100_000
    assert not inventory.skipped


def test_the_example(hospital: Path) -> None:
    inventory = read_inventory(hospital / "inventory.toml")
    assert len(inventory.devices) >= 12 and not inventory.skipped and not inventory.notes
    assert all(Path(device.sbom_file).is_file() for device in inventory.devices if device.sbom_file)


# ---- what it means for a patient ----

PROFILED = """
    [[device]]
    vendor = "Acme"
    model = "Pump"
    purpose = "Therapy"
    life_sustaining = true
    alarm = "no"
    delivers = false
    connectivity = ["wired", "bluetooth"]
    patient_data = "records"
    physical_access = "locked"
    fda_device_class = "Class II"
    controls = ["network segmentation", "dose  limits"]
"""


def test_a_profile_of_a_toml_file(tmp_path: Path) -> None:
    (device,) = read(tmp_path, PROFILED, "i.toml").devices
    assert device.profile == Profile(
        Purpose.THERAPY,
        life_sustaining=True,
        alarm=False,
        delivers=False,
        connectivity=(Connectivity.WIRED, Connectivity.BLUETOOTH),
        patient_data=PatientData.RECORDS,
        physical_access=PhysicalAccess.LOCKED,
        fda_device_class="2",
        controls=("network segmentation", "dose limits"),
    )


def test_a_profile_of_a_csv_file_under_other_names(tmp_path: Path) -> None:
    text = "manufacturer,model,life support,alarms,interfaces,phi,fda class\nAcme,Pump,Y,0,serial; wired,some,3\n"
    (device,) = read(tmp_path, text).devices
    assert device.profile == Profile(
        life_sustaining=True,
        alarm=False,
        connectivity=(Connectivity.SERIAL, Connectivity.WIRED),
        patient_data=PatientData.SOME,
        fda_device_class="3",
    )


def test_what_is_not_stated_stays_unknown(tmp_path: Path) -> None:
    (device,) = read(tmp_path, "vendor,model,alarm,purpose\nAcme,Pump,,\n").devices
    assert device.profile == NOTHING_STATED == Profile()


@pytest.mark.parametrize(
    ("column", "value", "said"),
    [
        ("purpose", "toy", "'toy' is none of therapy, diagnosis, monitoring, support"),
        ("life_sustaining", "perhaps", "neither yes nor no"),
        ("connectivity", "none; wired", "both that it is connected and that it is not"),
        ("connectivity", "pigeon", "'pigeon' is none of none, serial"),
        ("patient_data", "lots", "is none of none, some, records"),
        ("physical_access", "roof", "is none of public, staff, locked"),
        ("fda_device_class", "4", "is not 1, 2 or 3"),
    ],
)
def test_a_profile_that_cannot_be_read_is_told(tmp_path: Path, column: str, value: str, said: str) -> None:
    inventory = read(tmp_path, f"vendor,model,{column}\nA,B,{value}\nA,C,\n")
    (skipped,) = inventory.skipped
    assert f"line 2, column {column}" in skipped.reason and said in skipped.reason


@pytest.mark.parametrize("value", ["[1, 2]", "{a = 1}", "true", '[["wired"]]'])
def test_a_list_of_anything_but_texts_is_skipped(tmp_path: Path, value: str) -> None:
    text = f'[[device]]\nvendor = "A"\nmodel = "B"\nconnectivity = {value}\n[[device]]\nvendor = "A"\nmodel = "C"\n'
    (skipped,) = read(tmp_path, text, "i.toml").skipped
    assert "neither a text nor a number" in skipped.reason


def test_stating_a_profile_changes_no_id(tmp_path: Path) -> None:
    """Rows told apart by a hash (same name and version, another CPE) keep it when a profile is added."""
    head = "vendor,model,version,fda_product_code,alarm\n"
    plain = read(tmp_path, head + "A,B,1,MHX,\nA,B,1,DRT,\n").devices
    stated = read(tmp_path, head + "A,B,1,MHX,yes\nA,B,1,DRT,no\n").devices
    assert [device.id for device in plain] == [device.id for device in stated]
    assert len({device.id for device in plain}) == 2


def test_rows_that_differ_in_their_profile_alone_are_two_devices(tmp_path: Path) -> None:
    first, second = read(tmp_path, "vendor,model,version,alarm\nA,B,1,yes\nA,B,1,no\n").devices
    assert first.id != second.id and first.profile != second.profile


def test_rows_that_differ_in_their_imaging_model_alone_are_two_devices(tmp_path: Path) -> None:
    devices = read(tmp_path, "vendor,model,imaging_model\nA,B,models/one\nA,B,models/two\n").devices
    assert len({device.id for device in devices}) == 2
    assert {Path(device.imaging_model).name for device in devices} == {"one", "two"}
