"""What is measured of a model, and what it means where a bound is not kept: one row each in `CHECKS`.

A further property (robustness against adversarial images) is one more row, and a member of `Property`.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from analyzers.imaging_model.options import Options
from meddojo.imaging_model import Figure, ModelInspection, Property, SignatureState
from meddojo.severity import Severity


@dataclass(frozen=True, slots=True)
class PropertyCheck:
    """A property and its bound.

    Attributes
    ----------
    check, title
        Of the finding; never to be changed, for its identity hangs on them.
    bound
        Attribute of `Bounds`.
    default
        The bound where none is declared; None for none.
    breached
        Whether a value breaches a bound.
    said, kept
        The value and the bound, in words.
    surely, likely
        Severity where the whole confidence interval is beyond the bound, and where its end is not.
    harm
        Why that is as severe.
    """

    property: Property
    check: str
    title: str
    bound: str
    breached: Callable[[float, float], bool]
    said: str
    kept: str
    surely: Severity
    likely: Severity
    harm: str
    what_to_do: str
    default: float | None = None
    cwes: tuple[int, ...] = ()


CHECKS = (
    PropertyCheck(
        Property.ACCURACY,
        "imaging-model-accuracy",
        "The imaging model is less accurate than declared",
        "least_dice",
        operator.lt,
        "mean Dice {:.3f}",
        "at least {:.3f}",
        Severity.HIGH,
        Severity.MEDIUM,
        "lesions may be missed or drawn wrongly",
        "Have every result reviewed by a reader, ask the manufacturer for a version that keeps its bound, and measure "
        "again: meddojo imaging inspect",
    ),
    PropertyCheck(
        Property.CALIBRATION,
        "imaging-model-calibration",
        "The imaging model's probabilities are further from the truth than declared",
        "greatest_ece",
        operator.gt,
        "expected calibration error {:.3f} about the lesions",
        "at most {:.3f}",
        Severity.MEDIUM,
        Severity.LOW,
        "a reader who trusts the probabilities shown is misled; the outlines themselves may be right",
        "Do not use the probabilities to decide which cases need a second reader; have the model calibrated on cases "
        "like yours",
    ),
    PropertyCheck(
        Property.INT8,
        "imaging-model-int8",
        "The INT8 version of the imaging model deviates from the float version",
        "greatest_int8_difference",
        operator.gt,
        "mean absolute difference of probability {:.4f} about the lesions",
        "at most {:.4f}",
        Severity.MEDIUM,
        Severity.LOW,
        "what was validated is the float version, and what runs in the device is another",
        "Run the float version, or have the INT8 version made again with more calibration images and validated itself",
    ),
    PropertyCheck(
        Property.DRIFT,
        "imaging-model-drift",
        "Incoming images differ from those the imaging model was trained on",
        "greatest_drift",
        operator.gt,
        "largest distance of a property of the images {:.2f} (Kolmogorov and Smirnov)",
        "at most {:.2f}",
        Severity.MEDIUM,
        Severity.MEDIUM,
        "the accuracy that was measured says little about such images",
        "Look for a changed unit, reconstruction, protocol or scanner; until it is explained, have results reviewed; "
        "then measure the accuracy on such cases: meddojo imaging inspect",
        default=0.3,
    ),
)


@dataclass(frozen=True, slots=True)
class Breach:
    """A figure that is beyond its bound."""

    check: PropertyCheck
    figure: Figure
    bound: float
    sure: bool
    remarks: tuple[str, ...]

    @property
    def severity(self) -> Severity:
        """By how sure it is."""
        return self.check.surely if self.sure else self.check.likely

    @property
    def reason(self) -> str:
        """Of the severity."""
        figure = self.figure
        if figure.low is None:
            return self.check.harm
        where = "lies beyond the bound as a whole" if self.sure else "reaches across the bound"
        return f"{self.check.harm}; the 95 % interval of the measurement {where}"

    @property
    def measured(self) -> str:
        """Figure, interval, number of cases and bound in a sentence."""
        return f"{_said(self.check, self.figure)}; {self.check.kept.format(self.bound)} is asked for"


def breaches(model: ModelInspection, options: Options, now: datetime) -> Iterator[Breach]:
    """Every figure beyond its bound. An old one, or one of other files, stands until it is measured again."""
    figures = {figure.property: figure for figure in model.figures}
    for check in CHECKS:
        figure = figures.get(check.property)
        bound = _bound(check, model, figure, options)
        if figure is None or bound is None or not check.breached(figure.value, bound):
            continue
        ends = [end for end in (figure.low, figure.high) if end is not None]
        sure = all(check.breached(end, bound) for end in ends)
        yield Breach(check, figure, bound, sure, tuple(_doubts(model, figure, options, now)))


def unshown(model: ModelInspection, options: Options, now: datetime) -> Iterator[str]:
    """What nobody knows of the model, a line each."""
    figures = {figure.property: figure for figure in model.figures}
    for check in CHECKS:
        figure = figures.get(check.property)
        declared = _bound(check, model, figure, options)
        if figure is None:
            if check.property is not Property.INT8 or _has_int8(model):
                bound = f"{check.kept.format(declared)} is asked for, and it was" if declared is not None else "was"
                yield f"{check.property}: {bound} never measured here"
            continue
        if declared is None:
            yield f"{check.property}: {_said(check, figure)}, but no bound is declared"
        for doubt in _doubts(model, figure, options, now):
            yield f"{check.property}: {doubt}"
    if now - model.checked > timedelta(days=options.files_stale_after_days):
        yield f"files: nobody looked at them since {model.checked:%Y-%m-%d}"
    for line in model.files.not_looked_at:
        yield f"file {line}"


def _said(check: PropertyCheck, figure: Figure) -> str:
    interval = (
        f" (95 % interval {figure.low:.3f} to {figure.high:.3f})"
        if figure.low is not None and figure.high is not None
        else ""
    )
    on = f"on {figure.cases:,} cases (set {figure.data[:12]}), {figure.measured:%Y-%m-%d}"
    return f"{check.said.format(figure.value)}{interval} {on}"


def _bound(check: PropertyCheck, model: ModelInspection, figure: Figure | None, options: Options) -> float | None:
    """The bound of one's own, else the declared one, else that which was declared when it was measured."""
    declared: float | None = getattr(model.files.bounds, check.bound)
    if model.files.signature is SignatureState.WRONG:  # then somebody may have changed the bounds as well
        declared = None
    earlier = figure.bound if figure else None
    candidates = (getattr(options.bounds, check.bound), declared, earlier, check.default)
    return next((each for each in candidates if each is not None), None)


def _doubts(model: ModelInspection, figure: Figure, options: Options, now: datetime) -> Iterator[str]:
    present = dict(model.files.digests)
    other = [name for name, digest in figure.files if present.get(name) != digest]
    if other:
        yield f"measured with another {', '.join(other)} than is there now: measure again"
    if now - figure.measured > timedelta(days=options.stale_after_days):
        yield f"measured on {figure.measured:%Y-%m-%d}, more than {options.stale_after_days} days ago: measure again"


def _has_int8(model: ModelInspection) -> bool:
    return any(name.endswith(".tflite") and "int8" in name.lower() for name, _ in model.files.digests)
