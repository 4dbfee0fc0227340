"""Survival from a risk score: the Cox partial likelihood, a fit by it, and how well scores order the times.

Arrays of one cohort share the order of its n patients. `times` are durations of any one unit; `events` are 1 where the
event was seen and 0 where the patient left before it (right censoring). ``imaging.survival.loss`` is the same
likelihood as a loss of a network.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.floating[Any]]
Flags = npt.NDArray[np.bool_]
Events = npt.NDArray[Any]  # flags or numbers, 0 and 1
Ties = Literal["efron", "breslow"]

_CELLS = 4_000_000  # pairs compared at a time, a bound on memory
_ITERATIONS = 50
_CONVERGED = 1e-12  # of the Newton decrement, twice the log-likelihood still to be won
_DETERMINED = 1e-8  # least information per event, on standardised features


@dataclass(frozen=True, slots=True)
class CoxFit:
    """A proportional-hazards model.

    Attributes
    ----------
    coefficients
        Change of the log-hazard per unit of each feature, shape (features,).
    standard_errors
        From the inverse of the observed information, shape (features,).
    log_likelihood
        The partial log-likelihood reached.
    """

    coefficients: Floats
    standard_errors: Floats
    log_likelihood: float


@dataclass(frozen=True, slots=True)
class Concordance:
    """A C-index with its confidence interval."""

    index: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class _Terms:
    """The factors of the partial likelihood: one for each event, in order of time.

    `places` of the events in the cohort; of each the `removed` share of the events at the same time that its risk set
    lacks; logarithms of the summed hazards at risk and of what is left of them; where each distinct time `starts`.
    """

    places: npt.NDArray[np.intp]
    removed: Floats
    at_risk: Floats
    left: Floats
    starts: npt.NDArray[np.intp]


def cox_loss(times: Floats, events: Events, log_hazards: Floats, ties: Ties = "efron") -> tuple[float, Floats]:
    """Negative Cox partial log-likelihood and its gradient.

    Sums of hazards are kept as logarithms, so that log-hazards hundreds apart neither overflow nor vanish.

    Parameters
    ----------
    times, events
        Durations and event flags, shape (n,).
    log_hazards
        Shape (n,); a constant added to all changes nothing.
    ties
        How events at the same time share their risk set. Efron's is the closer to the exact likelihood.

    Returns
    -------
    float
        Summed over the events, in nats; 0 where there is none.
    numpy.ndarray
        Its derivative by each log-hazard, shape (n,).

    Raises
    ------
    ValueError
        Arrays of other shapes, empty, not finite; events other than 0 and 1; an unknown way with ties.

    References
    ----------
    Cox, Partial likelihood, Biometrika 62 (1975). Breslow, Covariance analysis of censored survival data, Biometrics 30
    (1974). Efron, The efficiency of Cox's likelihood function for censored data, JASA 72 (1977).
    """
    times, seen, log_hazards = _cohort(times, events, log_hazards)
    terms = _terms(times, seen, log_hazards, ties)
    if not len(terms.places):
        return 0.0, np.zeros(len(times))
    loss = float(np.sum(terms.left - log_hazards[terms.places]))
    return loss, _expected(times, log_hazards, terms) - seen


def fit_cox(features: Floats, times: Floats, events: Events, ties: Ties = "efron") -> CoxFit:
    """Coefficients that maximise the Cox partial likelihood, by Newton's method with halved steps.

    Parameters
    ----------
    features
        Shape (n, features).
    times, events
        Durations and event flags, shape (n,).

    Raises
    ------
    ValueError
        Shapes that do not fit, a value that is not finite, no event; or features that leave the coefficients
        undetermined, because they are constant, depend on each other or order the events perfectly.
    """
    features = np.asarray(features, dtype=float)
    if features.ndim != 2 or not features.size or not np.isfinite(features).all():
        raise ValueError(f"features have to be finite, of shape (n, features): {features.shape}")
    times, seen, _ = _cohort(times, events, features.sum(axis=1))
    scale = features.std(axis=0)
    if not seen.any() or not scale.all():
        raise ValueError("no event, or a feature that is the same for all: no coefficients")
    standard = (features - features.mean(axis=0)) / scale
    beta = np.zeros(features.shape[1])
    loss, gradient, information = _derivatives(standard, times, seen, beta, ties)
    for _ in range(_ITERATIONS):
        if np.linalg.eigvalsh(information)[0] < _DETERMINED * seen.sum():
            raise ValueError("undetermined: features depend on each other, or order the events perfectly")
        step = np.linalg.solve(information, gradient)
        if gradient @ step < _CONVERGED * max(1.0, loss):
            beta -= step  # squares the error that is left
            errors = np.sqrt(np.diag(np.linalg.inv(information)))
            return CoxFit(beta / scale, errors / scale, -cox_loss(times, seen, standard @ beta, ties)[0])
        for halving in range(_ITERATIONS):
            tried = beta - step * 0.5**halving
            if cox_loss(times, seen, standard @ tried, ties)[0] <= loss:
                break
        beta = tried
        loss, gradient, information = _derivatives(standard, times, seen, beta, ties)
    raise ValueError(f"not converged in {_ITERATIONS} steps")


def concordance_index(times: Floats, scores: Floats, events: Events) -> float:
    """Harrell's C: share of comparable pairs of patients whose scores are in the order of their events.

    A pair is comparable if one patient's event is known to have come first: before the other's time, or at the very
    time the other was censored. Equal scores count half.

    Parameters
    ----------
    times, events
        Durations and event flags, shape (n,).
    scores
        The higher, the earlier the event is expected, as for a log-hazard; shape (n,).

    Returns
    -------
    float
        0 to 1; 0.5 is what scores that know nothing reach.

    Raises
    ------
    ValueError
        Arrays that ``cox_loss`` would refuse, or no comparable pair.

    References
    ----------
    Harrell, Lee and Mark, Multivariable prognostic models, Statistics in Medicine 15 (1996).
    """
    times, seen, scores = _cohort(times, events, scores)
    comparable = concordant = 0.0
    for _, later, ordered in _pairs(times, scores, seen):
        comparable += float(later.sum())
        concordant += float(ordered.sum())
    if not comparable:
        raise ValueError("no patient's event is known to come before another's: no pair to compare")
    return concordant / comparable


def concordance_interval(
    times: Floats, scores: Floats, events: Events, seed: int, level: float = 0.95, resamples: int = 1000
) -> Concordance:
    """Harrell's C with the percentile interval of a bootstrap over patients.

    Every resample is a count of each patient, so that the pairs are compared only once. Resamples without a comparable
    pair are left out.

    Parameters
    ----------
    times, scores, events
        As ``concordance_index`` takes them.
    seed
        Of the resampling.
    level
        Share of resamples inside the interval, between 0 and 1.
    resamples
        How many cohorts of n patients are drawn with replacement.

    Raises
    ------
    ValueError
        Where ``concordance_index`` does, and for a level or a number of resamples out of range.

    References
    ----------
    Efron and Tibshirani, An Introduction to the Bootstrap (1993), chapter 13.
    """
    if not 0.0 < level < 1.0 or resamples < 1:
        raise ValueError(f"the level lies between 0 and 1, and resamples are at least 1: {level}, {resamples}")
    index = concordance_index(times, scores, events)
    times, seen, scores = _cohort(times, events, scores)
    size = len(times)
    counts = np.random.default_rng(seed).multinomial(size, np.full(size, 1.0 / size), size=resamples).astype(float)
    comparable, concordant = np.zeros(resamples), np.zeros(resamples)
    for rows, later, ordered in _pairs(times, scores, seen):
        comparable += ((counts[:, rows] @ later) * counts).sum(axis=1)
        concordant += ((counts[:, rows] @ ordered) * counts).sum(axis=1)
    valid = comparable > 0.0
    outside = (1.0 - level) / 2.0
    if not valid.any():
        raise ValueError("no resample holds a pair to compare: too few patients with events")
    low, high = np.quantile(concordant[valid] / comparable[valid], [outside, 1.0 - outside])
    return Concordance(index, float(low), float(high))


def _cohort(times: Floats, events: Events, scores: Floats) -> tuple[Floats, Flags, Floats]:
    times, events, scores = (np.asarray(each, dtype=float) for each in (times, events, scores))
    if not (times.ndim == 1 and times.size and times.shape == events.shape == scores.shape):
        raise ValueError(
            f"times, events and scores have to be of one shape (n,): {times.shape}, {events.shape}, {scores.shape}"
        )
    if not (np.isfinite(times).all() and np.isfinite(scores).all()):
        raise ValueError("times and scores have to be finite")
    if not np.isin(events, (0.0, 1.0)).all():
        raise ValueError("events have to be 0 (censored) or 1 (seen)")
    return times, events > 0.0, scores


def _terms(times: Floats, seen: Flags, log_hazards: Floats, ties: Ties) -> _Terms:
    if ties not in ("efron", "breslow"):
        raise ValueError(f"ties are handled by 'efron' or 'breslow', not {ties!r}")
    falling = np.argsort(-times, kind="stable")
    summed = np.logaddexp.accumulate(log_hazards[falling])
    places = np.flatnonzero(seen)[np.argsort(times[seen], kind="stable")]
    at = times[places]
    _, starts, group, sizes = np.unique(at, return_index=True, return_inverse=True, return_counts=True)
    at_risk = summed[np.searchsorted(-times[falling], -at, side="right") - 1]
    if ties == "breslow" or not len(places):
        return _Terms(places, np.zeros(len(places)), at_risk, at_risk, starts)
    tied = np.logaddexp.reduceat(log_hazards[places], starts)[group]
    removed = (np.arange(len(places)) - starts[group]) / sizes[group]
    return _Terms(places, removed, at_risk, at_risk + np.log1p(-removed * np.exp(tied - at_risk)), starts)


def _expected(times: Floats, log_hazards: Floats, terms: _Terms) -> Floats:
    """Events each patient was to expect while at risk, shape (n,)."""
    distinct = times[terms.places][terms.starts]
    cumulated = np.logaddexp.accumulate(np.logaddexp.reduceat(-terms.left, terms.starts))
    passed = np.searchsorted(distinct, times, side="right")
    expected = np.where(passed > 0, np.exp(np.where(passed > 0, log_hazards + cumulated[passed - 1], 0.0)), 0.0)
    # a patient with an event is only partly in the risk sets at the time of it
    lacking = np.add.reduceat(terms.removed * np.exp(terms.at_risk - terms.left), terms.starts)
    own = passed[terms.places] - 1
    expected[terms.places] -= np.exp(log_hazards[terms.places] - terms.at_risk) * lacking[own]
    return expected


def _derivatives(
    features: Floats, times: Floats, seen: Flags, beta: Floats, ties: Ties
) -> tuple[float, Floats, Floats]:
    """Loss, gradient by the coefficients, and the observed information, shape (features, features)."""
    log_hazards = features @ beta
    loss, gradient = cox_loss(times, seen, log_hazards, ties)
    terms = _terms(times, seen, log_hazards, ties)
    means = np.empty((len(terms.places), features.shape[1]))
    at = times[terms.places]
    for row, (removed, left) in enumerate(zip(terms.removed, terms.left, strict=True)):
        weights = np.exp(np.where(times >= at[row], log_hazards - left, -np.inf))
        weights[seen & (times == at[row])] *= 1.0 - removed
        means[row] = weights @ features
    information = (features.T * (gradient + seen)) @ features - means.T @ means
    return loss, features.T @ gradient, information


def _pairs(times: Floats, scores: Floats, seen: Flags) -> Iterator[tuple[npt.NDArray[np.intp], Floats, Floats]]:
    """Some patients with events at a time: their places, who is known to come later, and 1 (or 1/2) if so ordered."""
    rows = np.flatnonzero(seen)
    step = max(1, _CELLS // len(times))
    for start in range(0, len(rows), step):
        some = rows[start : start + step]
        time, score = times[some, None], scores[some, None]
        later = ((times > time) | ((times == time) & ~seen)).astype(float)
        yield some, later, later * ((score > scores) + 0.5 * (score == scores))
