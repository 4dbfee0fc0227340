"""How far probabilities can be trusted on patients the networks never saw, and whether unsure cases are the wrong ones.

Scaling and threshold are fitted on the validation patients of a run; the test patients only measure them. Of a
cross-validation that set nobody aside, those of a fold are fitted on the test patients of the other folds, each shown
to the networks that never saw them: more patients than can be spared to be set aside.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from imaging.data.cases import Booleans, Case
from imaging.segmentation.metrics import Reliability, dice, reliability
from imaging.uncertainty.calibration import Sample, choose
from imaging.uncertainty.files import Fitted, Method, read_fitted, weights_digest, write_fitted
from imaging.uncertainty.groups import Group
from imaging.uncertainty.maps import Maps
from imaging.uncertainty.regions import Region, regions
from imaging.uncertainty.review import BOUND, SHARE, Flag, Review, Score, flag, review, scores_of, threshold
from imaging.uncertainty.sampling import PASSES
from meddojo.errors import InputError

Diagrams = Mapping[str, Reliability]


@dataclass(frozen=True, slots=True)
class Settings:
    """How uncertainty is measured.

    Attributes
    ----------
    region
        Whose voxels calibration is fitted on.
    score
        By which cases are flagged; the network alone has no disagreement, and takes the expected loss instead.
    share
        Of the cases that are flagged.
    bound
        A case whose Dice is below is an error.
    passes, seed
        Of Monte Carlo dropout.
    """

    region: Region = Region.NEAR
    score: Score = Score.EXPECTED_LOSS
    share: float = SHARE
    bound: float = BOUND
    passes: int = PASSES
    seed: int = 1


@dataclass(frozen=True, slots=True, eq=False)
class Shown:
    """A case whose truth is known, and what networks that did not learn from it say."""

    case: Case
    maps: Maps
    mask: Booleans


@dataclass(frozen=True, slots=True, eq=False)
class Judged:
    """One case by one method.

    Attributes
    ----------
    missed
        The case has a lesion, and no voxel of it was found.
    scores
        All, by name.
    before, after
        Reliability of each region, without and with calibration; a region without voxels is not there.
    """

    name: str
    dice: float
    missed: bool
    scores: Mapping[str, float]
    flag: Flag
    before: Diagrams
    after: Diagrams


@dataclass(frozen=True, slots=True, eq=False)
class Result:
    """One method on all test cases.

    Attributes
    ----------
    fitted
        One each group.
    before, after
        Reliability of each region, over the voxels of all cases.
    reviews
        By the name of the score.
    """

    method: Method
    fitted: tuple[Fitted, ...]
    cases: tuple[Judged, ...]
    before: Diagrams
    after: Diagrams
    reviews: Mapping[str, Review]

    @property
    def mean_dice(self) -> float:
        """Over the cases; calibration does not change what is segmented."""
        return float(np.mean([case.dice for case in self.cases]))

    @property
    def least_sure(self) -> tuple[Judged, ...]:
        """The cases, by the score they are flagged by; the least sure first."""
        return tuple(sorted(self.cases, key=lambda case: case.scores[self.fitted[0].score], reverse=True))

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            "dice": self.mean_dice,
            "missed": sum(case.missed for case in self.cases),
            "fitted": [each.model_dump(mode="json") for each in self.fitted],
            "calibration_error": {
                name: {
                    "before": self.before[name].expected_error,
                    "after": self.after[name].expected_error,
                    "mean_of_cases_before": _mean_of_cases(self.cases, name, "before"),
                    "mean_of_cases_after": _mean_of_cases(self.cases, name, "after"),
                }
                for name in self.before
            },
            "review": {name: asdict(each) for name, each in self.reviews.items()},
            "cases": {
                case.name: {
                    "dice": case.dice,
                    "flagged": case.flag.raised,
                    "reason": case.flag.reason,
                    "scores": dict(case.scores),
                    "calibration_error_before": {k: each.expected_error for k, each in case.before.items()},
                    "calibration_error_after": {k: each.expected_error for k, each in case.after.items()},
                }
                for case in self.cases
            },
        }


def measure(
    groups: Sequence[Group],
    settings: Settings,
    advance: Callable[[str], None] = lambda _: None,
    final: Group | None = None,
) -> tuple[Result, ...]:
    """Fit on patients no network that is asked learned from, write it beside the weights, measure on test patients.

    On data other than those of the training nothing can be fitted: what was fitted before is read.

    Parameters
    ----------
    groups
        All with test cases.
    advance
        Called after each case of each method with its name; `steps` tells how often.
    final
        Networks of the same settings that learned from every patient: they get what all test patients together say.

    Raises
    ------
    InputError
        If nothing was fitted before where it is needed, or what was cannot be read; if no patient was set aside and
        there is one group alone; if the final networks are not those of the groups.
    """
    if final is not None:
        _check_final(groups, final)
    return tuple(_result(method, groups, settings, advance, final) for method in _shared(groups))


def fit_all(
    groups: Sequence[Group], settings: Settings, advance: Callable[[str], None] = lambda _: None
) -> tuple[Fitted, ...]:
    """Fit on validation patients and write what was fitted, of networks that have no test patients.

    Raises
    ------
    InputError
        If no patient was set aside, and nothing was fitted before.
    """
    return tuple(
        _fitted(method, group, _held_out(method, group, settings, advance), settings)
        for method in _shared(groups)
        for group in groups
    )


def steps(groups: Sequence[Group]) -> int:
    """How many cases `measure` computes, each method by itself."""
    return sum(len(group.validation(method)) + len(group.test) for group in groups for method in _shared(groups))


def _shared(groups: Sequence[Group]) -> tuple[Method, ...]:
    return tuple(method for method in Method if all(method in group.methods for group in groups))


def _result(
    method: Method,
    groups: Sequence[Group],
    settings: Settings,
    advance: Callable[[str], None],
    final: Group | None,
) -> Result:
    held_out = [_held_out(method, group, settings, advance) for group in groups]
    if len(groups) == 1 and not held_out[0]:
        before = _fitted_before(groups[0].folders_of(method), method)
        settings = replace(settings, passes=before.passes, seed=before.seed)
    tested = [_shown(method, group, group.test, settings, advance) for group in groups]
    fitted = []
    for number, group in enumerate(groups):
        others = [each for other, shown in enumerate(tested) if other != number for each in shown]
        fitted.append(_fitted(method, group, held_out[number] or others, settings))
    if final is not None:
        _fitted(method, final, [each for shown in tested for each in shown], settings)
    cases = [judge(each, found) for found, shown in zip(fitted, tested, strict=True) for each in shown]
    reached = [case.dice for case in cases]
    return Result(
        method=method,
        fitted=tuple(fitted),
        cases=tuple(cases),
        before=_pooled([case.before for case in cases]),
        after=_pooled([case.after for case in cases]),
        reviews={
            score: review([case.scores[score] for case in cases], reached, settings.share, settings.bound)
            for score in cases[0].scores
        },
    )


def _check_final(groups: Sequence[Group], final: Group) -> None:
    if final.test:
        cause = "has test patients: calibrate it by itself"
        raise InputError(str(final.folders[0]), "", cause, "name networks trained with --folds 1")
    networks = [config for config, _ in final.members]
    for group in groups:
        if [config for config, _ in group.members] != networks:
            cause = f"holds networks of other settings, or in another order, than {group.folders[0]}"
            raise InputError(str(final.folders[0]), "", cause)


def _held_out(method: Method, group: Group, settings: Settings, advance: Callable[[str], None]) -> list[Shown]:
    return _shown(method, group, group.validation(method), settings, advance)


def _shown(
    method: Method, group: Group, cases: Iterable[Case], settings: Settings, advance: Callable[[str], None]
) -> list[Shown]:
    found = []
    for case in cases:
        maps = group.maps(method, case, settings.passes, settings.seed)
        found.append(Shown(case, maps, group.outline(method)(maps.mean)))
        advance(case.name)
    return found


def judge(shown: Shown, fitted: Fitted) -> Judged:
    """Measure one case."""
    case, maps, mask = shown.case, shown.maps, shown.mask
    scores = scores_of(maps, mask, fitted.scaling, case.spacing_mm)
    of_case = {name: each for name, each in regions(mask, case.mask, case.spacing_mm).items() if each.any()}
    calibrated = fitted.scaling(maps.mean)
    return Judged(
        name=case.name,
        dice=dice(mask, case.mask),
        missed=bool(case.mask.any()) and not (mask & case.mask).any(),
        scores=scores,
        flag=flag(scores[fitted.score], fitted.threshold, bool(mask.any())),
        before={name: reliability(maps.mean, case.mask, each) for name, each in of_case.items()},
        after={name: reliability(calibrated, case.mask, each) for name, each in of_case.items()},
    )


def _fitted(method: Method, group: Group, shown: Sequence[Shown], settings: Settings) -> Fitted:
    """Fit a scaling and a threshold, and write them beside the weights they are for."""
    folders = group.folders_of(method)
    if not shown:
        return _fitted_before(folders, method)
    scaling = choose([_sample(each, settings.region) for each in shown])
    single = method is Method.NETWORK and settings.score is Score.DISAGREEMENT
    score = Score.EXPECTED_LOSS if single else settings.score
    scores = [scores_of(each.maps, each.mask, scaling, each.case.spacing_mm)[score] for each in shown]
    found = Fitted(
        method=method,
        weights=tuple(map(weights_digest, folders)),
        patients=len({each.case.patient for each in shown}),
        region=settings.region,
        kind=scaling.kind,
        scale=scaling.scale,
        bias=scaling.bias,
        score=score,
        threshold=threshold(scores, settings.share),
        share=settings.share,
        passes=settings.passes,
        seed=settings.seed,
    )
    write_fitted(folders[0], found)
    return found


def _fitted_before(folders: Sequence[Path], method: Method) -> Fitted:
    """On other data, or of a training that set nobody aside."""
    try:
        return read_fitted(folders, method)
    except InputError as error:
        hint = (
            error.hint or "fit it with the data of the training: name all folds, or set patients aside (--validation)"
        )
        raise InputError(error.origin, error.position, error.cause, hint) from error


def _sample(shown: Shown, region: Region) -> Sample:
    case = shown.case
    return Sample.of(shown.maps.mean, case.mask, regions(shown.mask, case.mask, case.spacing_mm)[region])


def _pooled(diagrams: Sequence[Diagrams]) -> dict[str, Reliability]:
    """Over the voxels of all cases."""
    found = {}
    for name in dict.fromkeys(name for each in diagrams for name in each):
        parts = [each[name] for each in diagrams if name in each]
        counts = np.sum([each.counts for each in parts], axis=0)
        filled = np.where(counts > 0, counts, np.nan)
        confidence, frequency = (
            np.sum([np.nan_to_num(getattr(each, key)) * each.counts for each in parts], axis=0) / filled
            for key in ("confidence", "frequency")
        )
        found[name] = Reliability(counts, confidence, frequency)
    return found


def _mean_of_cases(cases: Iterable[Judged], region: str, which: str) -> float:
    errors = [getattr(case, which)[region].expected_error for case in cases if region in getattr(case, which)]
    return float(np.mean(errors))
