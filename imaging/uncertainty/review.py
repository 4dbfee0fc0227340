"""Which cases a person should look at, and whether those are the ones that went wrong.

A score is higher the less sure a case is. `scores_of` gives three; a case in which nothing was found has the highest of
each, for a network cannot say how sure it is of nothing.

================= ===================================================================================================
``expected_loss`` 1 minus the Dice that calibrated probabilities expect, ``2 sum(p m) / (sum(p) + sum(m))`` over the
                  predicted lesion m and 10 mm about it (soft Dice confidence; Borges et al. 2024)
``entropy``       mean predictive entropy within 10 mm of the surface of the predicted lesion, in nats
``disagreement``  1 minus the mean Dice of all pairs of members (Roy et al. 2019); only where there are several
================= ===================================================================================================
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import numpy.typing as npt

from imaging.data.cases import Booleans
from imaging.uncertainty.calibration import Scaling
from imaging.uncertainty.maps import HIGHEST_ENTROPY, Maps
from imaging.uncertainty.regions import near

Values = npt.NDArray[np.float64]

SHARE = 0.1
"""Of the cases that are flagged."""
BOUND = 0.6
"""A case whose Dice is below is an error."""
_SHUFFLES = 10_000


class Score(StrEnum):
    """Names of the scores."""

    EXPECTED_LOSS = "expected_loss"
    ENTROPY = "entropy"
    DISAGREEMENT = "disagreement"


NOTHING_FOUND: Mapping[str, float] = {
    Score.EXPECTED_LOSS: 1.0,
    Score.ENTROPY: HIGHEST_ENTROPY,
    Score.DISAGREEMENT: 1.0,
}
"""Scores of a case in which no voxel was found."""


@dataclass(frozen=True, slots=True)
class Flag:
    """Whether a person should look at a case, and why."""

    raised: bool
    reason: str


@dataclass(frozen=True, slots=True)
class Review:
    """What is caught when the least sure cases are flagged.

    Attributes
    ----------
    cases, flagged
        How many there are, and how many of them are flagged.
    errors
        Cases whose Dice is below the bound.
    errors_caught
        Share of the errors that is flagged; None without errors.
    missing_caught
        Share of the sum of ``1 - Dice`` that is flagged; None where nothing is missing.
    chance
        Share that any order of the cases catches in the mean, of errors and of what is missing alike.
    perfect_errors, perfect_missing
        Shares that the best order catches, where cases are sorted by their Dice.
    correlation
        Spearman's, of score and ``1 - Dice``; None for less than three cases or where either is constant.
    p_value
        How often shuffled scores reach that correlation; one-sided.
    auroc
        Probability that an error has a higher score than a case that is none; None without either.
    """

    cases: int
    flagged: int
    errors: int
    errors_caught: float | None
    missing_caught: float | None
    chance: float
    perfect_errors: float | None
    perfect_missing: float | None
    correlation: float | None
    p_value: float | None
    auroc: float | None


def scores_of(maps: Maps, mask: Booleans, scaling: Scaling, spacing_mm: Sequence[float]) -> dict[str, float]:
    """All scores of a case.

    Parameters
    ----------
    mask
        The predicted lesion.
    """
    several: dict[str, float] = {Score.DISAGREEMENT: maps.disagreement} if maps.members > 1 else {}
    if not mask.any():
        return {name: NOTHING_FOUND[name] for name in (Score.EXPECTED_LOSS, Score.ENTROPY, *several)}
    band = near(mask, spacing_mm)
    expected = scaling(maps.mean)[band | mask].sum(dtype=np.float64)
    hit = scaling(maps.mean)[mask].sum(dtype=np.float64)
    return {
        Score.EXPECTED_LOSS: float(1.0 - 2.0 * hit / (expected + mask.sum())),
        Score.ENTROPY: float(maps.predictive_entropy[band].mean(dtype=np.float64)),
        **several,
    }


def threshold(scores: Sequence[float], share: float = SHARE) -> float:
    """The score above which a case is flagged, such that the share of the validation patients lies above it.

    Between two patients it is interpolated, so that few patients give a value at all.

    Raises
    ------
    ValueError
        Without a score.
    """
    if not scores:
        raise ValueError("no validation patient to choose a threshold on")
    return float(np.quantile(scores, 1.0 - share))


def flag(score: float, bound: float, found: bool) -> Flag:
    """Flag a case.

    Parameters
    ----------
    found
        Whether the network found a voxel.
    """
    if not found:
        return Flag(True, "nothing was found")
    if score > bound:
        return Flag(True, f"score {score:.3f} is above {bound:.3f}")
    return Flag(False, f"score {score:.3f} is not above {bound:.3f}")


def review(scores: Sequence[float], dice: Sequence[float], share: float = SHARE, bound: float = BOUND) -> Review:
    """Flag the share of cases with the highest scores (one at least) and count what that catches.

    Of cases that tie at the border each is flagged in part, which is the mean over all orders of them.

    Parameters
    ----------
    scores, dice
        One a case.

    Raises
    ------
    ValueError
        Without cases, with lists of different lengths or values that are no numbers.
    """
    given, reached = _checked(scores, dice)
    count = len(given)
    flagged = min(count, max(1, round(share * count)))
    errors, missing = (reached < bound).astype(float), 1.0 - reached
    chosen, best = _taken(given, flagged), _taken(missing, flagged)
    correlation, p_value = _correlation(given, missing)
    return Review(
        cases=count,
        flagged=flagged,
        errors=int(errors.sum()),
        errors_caught=_share(chosen, errors),
        missing_caught=_share(chosen, missing),
        chance=flagged / count,
        perfect_errors=_share(best, errors),
        perfect_missing=_share(best, missing),
        correlation=correlation,
        p_value=p_value,
        auroc=_auroc(given, errors > 0),
    )


def risk_coverage(scores: Sequence[float], dice: Sequence[float]) -> tuple[Values, Values]:
    """What is lost if only the surest cases are kept (El-Yaniv and Wiener 2010).

    Returns
    -------
    tuple of numpy.ndarray
        Share of cases that is kept, from ``1 / cases`` to 1, and the mean of ``1 - Dice`` over them; both of shape
        (cases,). Cases that tie all count with the mean of their group.

    Raises
    ------
    ValueError
        Where `review` does.
    """
    given, reached = _checked(scores, dice)
    missing = 1.0 - reached
    for score in np.unique(given):
        missing[given == score] = missing[given == score].mean()
    kept = np.arange(1, len(given) + 1)
    return kept / len(given), np.cumsum(missing[np.argsort(given, kind="stable")]) / kept


def _checked(scores: Sequence[float], dice: Sequence[float]) -> tuple[Values, Values]:
    given, reached = np.asarray(scores, dtype=np.float64), np.asarray(dice, dtype=np.float64)
    if not len(given) or given.shape != reached.shape:
        raise ValueError(f"{len(given)} scores for {len(reached)} cases")
    if not np.isfinite(given).all() or not ((reached >= 0.0) & (reached <= 1.0)).all():
        raise ValueError("scores have to be numbers, and Dice from 0 to 1")
    return given, reached


def _taken(values: Values, count: int) -> Values:
    """How much of each case is among the `count` highest: 1, 0, or its share of the places left to ties."""
    border = np.sort(values)[-count]
    above, equal = values > border, values == border
    return np.where(above, 1.0, np.where(equal, (count - above.sum()) / equal.sum(), 0.0))


def _share(taken: Values, amounts: Values) -> float | None:
    return float((taken * amounts).sum() / amounts.sum()) if amounts.sum() > 0 else None


def _correlation(scores: Values, missing: Values) -> tuple[float | None, float | None]:
    from scipy.stats import rankdata

    if len(scores) < 3 or len(set(scores)) < 2 or len(set(missing)) < 2:
        return None, None
    first, second = ((ranks - ranks.mean()) / ranks.std() for ranks in map(rankdata, (scores, missing)))
    found = float(np.mean(first * second))
    random = np.random.default_rng(1)
    shuffled = random.permuted(np.tile(first, (_SHUFFLES, 1)), axis=1) @ second / len(second)
    # the order that was found is one of those possible
    return found, float((1 + (shuffled >= found - 1e-12).sum()) / (1 + _SHUFFLES))


def _auroc(scores: Values, errors: npt.NDArray[np.bool_]) -> float | None:
    if errors.all() or not errors.any():
        return None
    gaps = scores[errors][:, None] - scores[~errors][None, :]
    return float(np.mean((gaps > 0) + 0.5 * (gaps == 0)))
