"""Standardised uptake by body weight (SUV, g/ml) from the header of a PET image.

``SUV = activity (Bq/ml) * weight (g) / dose (Bq)``, where activity and dose are of the same moment. Attributes are
those of the PET Series, PET Isotope and PET Image modules (PS3.3 C.8.9.1, C.8.9.2, C.8.9.4); which time counts follows
the vendor-neutral pseudo-code of the QIBA FDG-PET/CT profile (version 1.13, appendix G).
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from datetime import datetime, timedelta

from imaging.data.formats.header import PHILIPS, PHILIPS_ACTIVITY, PHILIPS_SUV, Header, named
from meddojo.errors import InputError

_LIGHTEST_KG, _HEAVIEST_KG = 0.5, 650.0
_LOWEST_DOSE_BQ, _HIGHEST_DOSE_BQ = 1e5, 2e10
_SHORTEST_HALF_LIFE_S, _LONGEST_HALF_LIFE_S = 60.0, 1e6
_MOST_HALF_LIVES = 10.0
"""After which a thousandth of the dose is left."""
_KNOWN_DAY_S = 12 * 3600.0
"""Of a nuclide that lives longer, the day of the injection cannot be guessed from the time of day."""
_CLOCKS_DIFFER_S = 60.0
_DAY_S = 86_400.0

NUCLIDES: dict[tuple[str | None, str | None], tuple[str, float]] = {
    # half-lives in s: M.-M. Be et al., Table of Radionuclides, BIPM-5; codes of CID 4020, in SNOMED CT and SNOMED RT
    ("SCT", "77004003"): ("F-18", 6584.0),
    ("SRT", "C-111A1"): ("F-18", 6584.0),
    ("SCT", "40565003"): ("C-11", 1221.8),
    ("SRT", "C-105A1"): ("C-11", 1221.8),
    ("SCT", "35337001"): ("Ga-68", 4062.6),
    ("SRT", "C-131A3"): ("Ga-68", 4062.6),
    ("SCT", "63360001"): ("Zr-89", 282_240.0),
    ("SCT", "40937006"): ("I-124", 360_806.0),
    ("SCT", "3932008"): ("Cu-64", 45_724.0),
}
_SAME_NUCLIDE = 0.05
"""Share by which a half-life may differ from that of the nuclide of its code."""


@dataclass(frozen=True, slots=True)
class Uptake:
    """What the header of a slice says about activity; all but the times of acquisition is the same for a series.

    Attributes
    ----------
    weight_kg, dose_bq, half_life_s
        None where absent.
    injected_at, injected_time
        With its date, and the time of day alone (as a time since midnight).
    series_at, acquired_at
        When the series and the slice began.
    reference_s, duration_s
        From the beginning of the series to the mean count of the frame, and how long the frame took.
    philips_suv, philips_activity
        Factors from counts to g/ml and to Bq/ml.
    """

    units: str | None
    suv_type: str | None
    decay: str | None
    corrected: tuple[str, ...]
    weight_kg: float | None
    dose_bq: float | None
    half_life_s: float | None
    nuclide: tuple[str | None, str | None]
    injected_at: datetime | None
    injected_time: timedelta | None
    series_at: datetime | None
    acquired_at: datetime | None
    reference_s: float | None
    duration_s: float | None
    philips_suv: float | None
    philips_activity: float | None


def uptake_of(header: Header) -> Uptake:
    """Read the attributes; whether they suffice is seen later.

    Raises
    ------
    InputError
        If one is no number, date or time.
    """
    items = header.items("RadiopharmaceuticalInformationSequence")
    if len(items) > 1:
        raise header.wrong("RadiopharmaceuticalInformationSequence", f"has {len(items)} items: which was injected?")
    tracer = items[0] if items else Header({}, header.origin)
    codes = tracer.items("RadionuclideCodeSequence")
    milliseconds = header.number("FrameReferenceTime"), header.number("ActualFrameDuration")
    return Uptake(
        units=header.text("Units"),
        suv_type=header.text("SUVType"),
        decay=header.text("DecayCorrection"),
        corrected=header.words("CorrectedImage"),
        weight_kg=header.number("PatientWeight"),
        dose_bq=tracer.number("RadionuclideTotalDose"),
        half_life_s=tracer.number("RadionuclideHalfLife"),
        nuclide=(codes[0].text("CodingSchemeDesignator"), codes[0].text("CodeValue")) if codes else (None, None),
        injected_at=_date_time(tracer, "RadiopharmaceuticalStartDateTime", header.text("TimezoneOffsetFromUTC")),
        injected_time=_time(tracer, "RadiopharmaceuticalStartTime"),
        series_at=_moment(header, "SeriesDate", "SeriesTime"),
        acquired_at=_moment(header, "AcquisitionDate", "AcquisitionTime"),
        reference_s=None if milliseconds[0] is None else milliseconds[0] / 1000.0,
        duration_s=None if milliseconds[1] is None else milliseconds[1] / 1000.0,
        philips_suv=header.philips(PHILIPS_SUV),
        philips_activity=header.philips(PHILIPS_ACTIVITY),
    )


def suv_factor(uptake: Uptake, origin: str, first_acquired_at: datetime | None) -> float:
    """From the rescaled values of a slice to SUV in g/ml.

    Parameters
    ----------
    uptake
        Of the slice named by `origin`.
    first_acquired_at
        Earliest of the series.

    Raises
    ------
    InputError
        If an attribute that is needed is missing, or cannot be true.
    """
    if uptake.units == "GML":
        # LBM, BSA and others would be other numbers
        if uptake.suv_type not in (None, "BW"):
            raise _wrong(origin, "SUVType", "is not BW: only SUV by body weight is read")
        return 1.0
    if uptake.units == "CNTS":
        if uptake.philips_suv:
            return _positive(uptake.philips_suv, origin, f"{PHILIPS} (7053,xx00)")
        if uptake.philips_activity:
            activity = _positive(uptake.philips_activity, origin, f"{PHILIPS} (7053,xx09)")
            return activity * _from_activity(uptake, origin, first_acquired_at)
        raise _wrong(origin, "Units", "is CNTS, without the factor to SUV or Bq/ml that Philips adds", _RECONSTRUCT)
    if uptake.units != "BQML":
        raise _wrong(origin, "Units", "is missing, or none of BQML, GML and CNTS", _RECONSTRUCT)
    return _from_activity(uptake, origin, first_acquired_at)


_RECONSTRUCT = "export the series with values in Bq/ml"


def _from_activity(uptake: Uptake, origin: str, first_acquired_at: datetime | None) -> float:
    missing = sorted({"ATTN", "DECY"} - set(uptake.corrected))
    if missing:
        raise _wrong(origin, "CorrectedImage", f"lacks {' and '.join(missing)}: the values are no activity")
    weight = _within(uptake.weight_kg, _LIGHTEST_KG, _HEAVIEST_KG, "kg", origin, "PatientWeight")
    dose = _within(uptake.dose_bq, _LOWEST_DOSE_BQ, _HIGHEST_DOSE_BQ, "Bq", origin, "RadionuclideTotalDose")
    if uptake.decay == "ADMIN":
        left = 1.0  # activity is of the moment of the injection, as the dose is
    elif uptake.decay == "START":
        half_life = _half_life(uptake, origin)
        left = 2.0 ** (-_seconds_since_injection(uptake, half_life, origin, first_acquired_at) / half_life)
    else:
        raise _wrong(origin, "DecayCorrection", "is neither START nor ADMIN: of which moment is the activity?")
    return weight * 1000.0 / (dose * left)


def _half_life(uptake: Uptake, origin: str) -> float:
    half_life = _within(
        uptake.half_life_s, _SHORTEST_HALF_LIFE_S, _LONGEST_HALF_LIFE_S, "s", origin, "RadionuclideHalfLife"
    )
    name, known = NUCLIDES.get(uptake.nuclide, ("", half_life))
    if abs(half_life / known - 1.0) > _SAME_NUCLIDE:
        raise _wrong(origin, "RadionuclideHalfLife", f"is {half_life:g} s, that of {name} is {known:g} s")
    return half_life


def _seconds_since_injection(
    uptake: Uptake, half_life: float, origin: str, first_acquired_at: datetime | None
) -> float:
    scan = _scan_began(uptake, half_life, origin, first_acquired_at)
    keyword = "RadiopharmaceuticalStartDateTime"
    if uptake.injected_at is not None:
        seconds = (scan - uptake.injected_at).total_seconds()
    else:
        keyword = "RadiopharmaceuticalStartTime"
        if uptake.injected_time is None:
            raise _wrong(origin, keyword, "is missing or empty, and so is that with a date")
        if half_life > _KNOWN_DAY_S:
            raise _wrong(origin, keyword, f"has no date, which a half-life of {half_life / 3600:.0f} hours needs")
        midnight = scan.replace(hour=0, minute=0, second=0, microsecond=0)
        seconds = (scan - midnight - uptake.injected_time).total_seconds()
        if seconds < -_CLOCKS_DIFFER_S:
            seconds += _DAY_S  # the injection was before midnight, the scan after
    if seconds < -_CLOCKS_DIFFER_S:
        raise _wrong(origin, keyword, f"is {-seconds:.0f} s after the scan began", _DATES)
    if seconds > _MOST_HALF_LIVES * half_life:
        raise _wrong(origin, keyword, f"is {seconds / half_life:.0f} half-lives before the scan began", _DATES)
    return seconds


_DATES = "a clock that is off, or dates changed by de-identification: correct one of them"


def _scan_began(uptake: Uptake, half_life: float, origin: str, first_acquired_at: datetime | None) -> datetime:
    """The moment that activity is corrected to.

    It is that of the series, unless this is later than the first acquisition: then somebody processed the series again.
    """
    first = first_acquired_at or uptake.acquired_at
    if uptake.series_at is not None and (first is None or uptake.series_at <= first):
        return uptake.series_at
    if uptake.acquired_at is None or first is None:
        raise _wrong(origin, "SeriesTime", "is missing, and so are the date and time of acquisition")
    if uptake.reference_s and uptake.duration_s and 0 < uptake.reference_s < _DAY_S > uptake.duration_s > 0:
        # back from the moment within the frame at which activity equals its mean
        decay = math.log(2.0) / half_life
        within = math.log(decay * uptake.duration_s / -math.expm1(-decay * uptake.duration_s)) / decay
        return uptake.acquired_at - timedelta(seconds=uptake.reference_s - within)
    return first


def _within(value: float | None, low: float, high: float, unit: str, origin: str, keyword: str) -> float:
    if value is None:
        raise _wrong(origin, keyword, "is missing or empty")
    if not low <= value <= high:
        raise _wrong(origin, keyword, f"is {value:g}, which is not from {low:g} to {high:g} {unit}: another unit?")
    return value


def _positive(value: float, origin: str, position: str) -> float:
    if value <= 0:
        raise InputError(origin, position, f"is {value:g}, not above 0")
    return value


def _wrong(origin: str, keyword: str, cause: str, hint: str = "") -> InputError:
    return InputError(origin, named(keyword), cause, hint)


_FIRST_YEAR, _LAST_YEAR = 1900, 2200
_DATE = re.compile(r"(\d{4})\.?(\d{2})\.?(\d{2})")
_TIME = re.compile(r"(\d{2}):?(\d{2})(?::?(\d{2})(?:\.(\d{1,6}))?)?")
_DATE_TIME = re.compile(r"(\d{8})(\d{4}(?:\d{2}(?:\.\d{1,6})?)?)(?:([+-])(\d{2})(\d{2}))?")
_OFFSET = re.compile(r"([+-])(\d{2})(\d{2})")


def _time(header: Header, keyword: str) -> timedelta | None:
    """Since midnight."""
    text = header.text(keyword)
    if text is None:
        return None
    found = _parsed_time(text)
    if found is None:
        raise header.wrong(keyword, "is no time")
    return found


def _parsed_time(text: str) -> timedelta | None:
    match = _TIME.fullmatch(text)
    if match is None:
        return None
    hours, minutes, seconds, fraction = match.groups()
    # a leap second is allowed
    if int(hours) > 23 or int(minutes) > 59 or int(seconds or 0) > 60:
        return None
    microseconds = int((fraction or "0").ljust(6, "0"))
    return timedelta(hours=int(hours), minutes=int(minutes), seconds=int(seconds or 0), microseconds=microseconds)


def _moment(header: Header, date: str, time: str) -> datetime | None:
    day, since = header.text(date), _time(header, time)
    if day is None or since is None:
        return None
    return _day(header, date, day) + since


def _day(header: Header, keyword: str, text: str) -> datetime:
    match = _DATE.fullmatch(text)
    try:
        year, month, day = map(int, match.groups()) if match else (0, 0, 0)
        if _FIRST_YEAR <= year <= _LAST_YEAR:
            # all of one header are in the same zone, and only differences are used
            return datetime(year, month, day)  # noqa: DTZ001
    except ValueError:
        pass
    raise header.wrong(keyword, "is no date")


def _date_time(header: Header, keyword: str, zone: str | None) -> datetime | None:
    """In the zone of the other attributes, which `zone` tells; without it, a zone of its own is passed over."""
    text = header.text(keyword)
    if text is None:
        return None
    match = _DATE_TIME.fullmatch(text)
    since = _parsed_time(match[2]) if match else None
    if match is None or since is None:
        raise header.wrong(keyword, "is no date with a time")
    moment = _day(header, keyword, match[1]) + since
    theirs, ours = match[0][len(match[1]) + len(match[2]) :], _OFFSET.fullmatch(zone or "")
    own = _OFFSET.fullmatch(theirs)
    return moment - _offset(own) + _offset(ours) if own and ours else moment


def _offset(match: re.Match[str]) -> timedelta:
    return (-1 if match[1] == "-" else 1) * timedelta(hours=int(match[2]), minutes=int(match[3]))
