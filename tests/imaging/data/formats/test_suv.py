"""SUV by body weight against values computed by hand, for each unit and each way of telling the time."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from imaging.data.formats.series import read_series, read_volume
from meddojo.errors import InputError

pytest.importorskip("pydicom")

Factor = Callable[..., float]

# 80 kg; 400 MBq at 12:00, of F-18 (6586.2 s); the scan begins at 13:00
_DECAYED = 80_000 / (400e6 * 2 ** (-3600 / 6586.2))
"""From Bq/ml to g/ml: 2.92127e-4."""
_UNDECAYED = 80_000 / 400e6


@pytest.fixture
def factor(write_slices: Callable[..., list[Path]], tmp_path: Path) -> Factor:
    """From rescaled values to SUV."""

    def read(
        changes: Mapping[str, Any] | None = None,
        tracer: Mapping[str, Any] | None = None,
        philips: Mapping[int, str] | None = None,
        **options: Any,
    ) -> float:
        stored = np.full((2, 4, 4), 1000.0)
        positions = np.array([[0.0, 0.0, 0.0], [0.0, 0.0, 5.0]])
        write_slices(tmp_path, stored, positions, changes=changes, tracer=tracer, philips=philips, **options)
        values = read_volume(read_series(tmp_path, "PT")).values
        assert np.ptp(values) <= 1e-3 * values.max()
        return float(values.mean()) / 1000.0

    return read


def test_activity_decays_from_the_injection_to_the_scan(factor: Factor) -> None:
    assert pytest.approx(2.92127e-4, rel=1e-5) == _DECAYED
    assert factor({"Units": "BQML"}) == pytest.approx(_DECAYED, rel=1e-4)


def test_activity_of_the_moment_of_injection_does_not(factor: Factor) -> None:
    assert factor({"Units": "BQML", "DecayCorrection": "ADMIN"}) == pytest.approx(_UNDECAYED, rel=1e-4)


def test_suv_stays_as_it_is(factor: Factor) -> None:
    assert factor({"Units": "GML"}, {"RadionuclideTotalDose": None}) == pytest.approx(1.0, rel=1e-4)
    assert factor({"Units": "GML", "SUVType": "BW"}) == pytest.approx(1.0, rel=1e-4)


def test_counts_of_philips_have_a_factor_to_suv(factor: Factor) -> None:
    assert factor({"Units": "CNTS"}, philips={0x00: "0.00035"}) == pytest.approx(0.00035, rel=1e-4)


def test_counts_of_philips_have_a_factor_to_activity(factor: Factor) -> None:
    found = factor({"Units": "CNTS"}, philips={0x00: "0", 0x09: "1.7"})
    assert found == pytest.approx(1.7 * _DECAYED, rel=1e-4)


def test_the_private_block_is_found_in_implicit_vr(
    factor: Factor, tmp_path: Path, write_slices: Callable[..., list[Path]]
) -> None:
    import pydicom

    factor({"Units": "CNTS"}, philips={0x00: "0.00035"})
    for path in tmp_path.glob("*.dcm"):
        dataset = pydicom.dcmread(path)
        dataset.file_meta.TransferSyntaxUID = pydicom.uid.ImplicitVRLittleEndian
        dataset.save_as(path)
    assert read_volume(read_series(tmp_path, "PT")).values.mean() == pytest.approx(0.35, rel=1e-4)


def test_of_the_same_numbers_in_another_private_group_nothing_is_made(factor: Factor) -> None:
    def change(number: int, dataset: Any) -> None:
        block = dataset.private_block(0x7053, "SOMEBODY ELSE", create=True)
        block.add_new(0, "DS", "0.5")

    with pytest.raises(InputError, match=r"Units \(0054,1001\): is CNTS"):
        factor({"Units": "CNTS"}, change=change)


def test_an_injection_before_midnight_and_a_scan_after(factor: Factor) -> None:
    changes = {"Units": "BQML", "SeriesTime": "003000", "AcquisitionTime": "003000"}
    found = factor(changes, {"RadiopharmaceuticalStartTime": "233000"})
    assert found == pytest.approx(_DECAYED, rel=1e-4)


def test_a_date_with_the_time_counts(factor: Factor) -> None:
    changes = {"Units": "BQML", "SeriesTime": "003000", "AcquisitionTime": "003000"}
    found = factor(changes, {"RadiopharmaceuticalStartDateTime": "20200101233000.000000"})
    assert found == pytest.approx(_DECAYED, rel=1e-4)


def test_a_zone_with_the_date_is_brought_to_that_of_the_rest(factor: Factor) -> None:
    changes = {"Units": "BQML", "TimezoneOffsetFromUTC": "+0100"}
    found = factor(changes, {"RadiopharmaceuticalStartDateTime": "20200102110000+0000"})
    assert found == pytest.approx(_DECAYED, rel=1e-4)


def test_a_series_that_was_processed_again_is_of_its_first_acquisition(factor: Factor) -> None:
    def change(number: int, dataset: Any) -> None:
        dataset.AcquisitionTime = "130000" if number == 0 else "130300"

    found = factor({"Units": "BQML", "SeriesTime": "170000"}, change=change)
    assert found == pytest.approx(_DECAYED, rel=1e-4)


def test_or_of_the_moment_that_its_frames_refer_to(factor: Factor) -> None:
    # a bed position from 13:10 to 13:20; the mean count comes shortly before its middle, 889.6 s after 13:00
    decay = np.log(2) / 6586.2
    within = np.log(decay * 600 / (1 - np.exp(-decay * 600))) / decay
    changes = {
        "Units": "BQML",
        "SeriesTime": "170000",
        "AcquisitionTime": "131000",
        "FrameReferenceTime": (600 + within) * 1000,
        "ActualFrameDuration": 600_000,
    }
    assert factor(changes) == pytest.approx(_DECAYED, rel=1e-4)


_BQ = {"Units": "BQML"}


@pytest.mark.parametrize(
    ("changes", "tracer", "told"),
    [
        ({"Units": None}, {}, "Units .*is missing, or none of"),
        ({"Units": "PROPCPS"}, {}, "Units .*none of"),
        ({"Units": "GML", "SUVType": "LBM"}, {}, "SUVType .*is not BW"),
        (_BQ | {"PatientWeight": None}, {}, r"PatientWeight \(0010,1030\): is missing"),
        (_BQ | {"PatientWeight": ""}, {}, r"PatientWeight \(0010,1030\): is missing"),
        (_BQ | {"PatientWeight": 0}, {}, "PatientWeight .*is 0, which is not"),
        (_BQ | {"PatientWeight": 80_000}, {}, "PatientWeight .*is 80000"),
        (_BQ, {"RadionuclideTotalDose": None}, r"RadionuclideTotalDose \(0018,1074\): is missing"),
        (_BQ, {"RadionuclideTotalDose": 400}, "RadionuclideTotalDose .*is 400, .*another unit"),
        (_BQ, {"RadionuclideHalfLife": None}, r"RadionuclideHalfLife \(0018,1075\): is missing"),
        (_BQ, {"RadionuclideHalfLife": 1.8}, "RadionuclideHalfLife .*is 1.8"),
        (_BQ, {"RadiopharmaceuticalStartTime": None}, r"RadiopharmaceuticalStartTime \(0018,1072\): is missing"),
        (_BQ, {"RadiopharmaceuticalStartTime": "2561"}, "is no time"),
        (_BQ, {"RadiopharmaceuticalStartTime": "131000"}, "13 half-lives before"),
        (_BQ, {"RadiopharmaceuticalStartDateTime": "20200103120000"}, "82800 s after the scan began"),
        (_BQ, {"RadiopharmaceuticalStartDateTime": "20191231120000"}, "27 half-lives before"),
        (_BQ, {"RadiopharmaceuticalStartDateTime": "2020"}, "is no date with a time"),
        (_BQ, {"RadionuclideHalfLife": 282_240}, "has no date, which a half-life of 78 hours needs"),
        (_BQ | {"DecayCorrection": "NONE"}, {}, r"DecayCorrection \(0054,1102\): is neither"),
        (_BQ | {"CorrectedImage": ["DECY"]}, {}, r"CorrectedImage \(0028,0051\): lacks ATTN"),
        (_BQ | {"SeriesTime": None, "AcquisitionTime": None}, {}, "SeriesTime .*is missing"),
        (_BQ | {"SeriesDate": "20201301"}, {}, "SeriesDate .*is no date"),
        (_BQ | {"RadiopharmaceuticalInformationSequence": []}, None, "PatientWeight|RadionuclideTotalDose"),
    ],
)
def test_what_is_missing_or_absurd_is_one_error_with_its_attribute(
    write_slices: Callable[..., list[Path]],
    tmp_path: Path,
    changes: dict[str, Any],
    tracer: dict[str, Any] | None,
    told: str,
    no_canary: Callable[..., None],
) -> None:
    def change(number: int, dataset: Any) -> None:
        for keyword, value in (changes if tracer is None else {}).items():
            setattr(dataset, keyword, value)

    positions = np.array([[0.0, 0.0, 0.0], [0.0, 0.0, 5.0]])
    given = changes if tracer is not None else {}
    write_slices(tmp_path, np.ones((2, 4, 4)), positions, changes=given, tracer=tracer, change=change)
    with pytest.raises(InputError, match=told) as refused:
        read_volume(read_series(tmp_path, "PT"))
    assert str(refused.value).startswith(str(tmp_path)) and ".dcm" in str(refused.value)
    no_canary(refused.value)


def test_a_half_life_that_is_not_of_its_nuclide_is_told(factor: Factor) -> None:
    from pydicom import Dataset

    code = Dataset()
    code.CodeValue, code.CodingSchemeDesignator, code.CodeMeaning = "77004003", "SCT", "^18^Fluorine"
    assert factor(_BQ, {"RadionuclideCodeSequence": [code]}) == pytest.approx(_DECAYED, rel=1e-4)
    with pytest.raises(InputError, match=r"is 109.8 s, that of F-18 is 6584 s"):
        factor(_BQ, {"RadionuclideCodeSequence": [code], "RadionuclideHalfLife": 109.8})


def test_the_codes_are_those_of_the_standard() -> None:
    from pydicom.sr.codedict import codes

    from imaging.data.formats.suv import NUCLIDES

    for (scheme, value), (name, _) in NUCLIDES.items():
        if scheme == "SCT":
            element, mass = name.split("-")
            found = [each for each in codes.cid4020.dir() if each.startswith(f"_{mass}")]
            coded = {getattr(codes.cid4020, each).value: getattr(codes.cid4020, each).meaning for each in found}
            assert coded[value].startswith(f"^{mass}^{element[0]}")
