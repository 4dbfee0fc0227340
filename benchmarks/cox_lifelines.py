"""The Cox likelihood of the imaging model beside lifelines (and statsmodels) on the survival data lifelines ships.

For every data set: the largest difference of any coefficient, as it is and as a share of its standard error (for a
feature of large numbers has a small coefficient), the difference of the C-index, and how many times as fast the fit
is. lifelines handles ties by Efron alone, so Breslow is compared with statsmodels. Where tf_keras is installed, the
loss that trains networks is minimised too, in float64.

    python benchmarks/cox_lifelines.py

Needs ``pip install lifelines``, and for more columns ``statsmodels`` and the ``imaging`` extra.
"""

from __future__ import annotations

import importlib.util
import time
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from imaging.survival.cox import CoxFit, Ties, concordance_index, concordance_interval, fit_cox

# Loader of lifelines, columns of duration and event; the numeric columns that are left are the features.
DATA_SETS = (
    ("rossi", "week", "arrest"),
    ("kidney_transplant", "time", "death"),
    ("gbsg2", "time", "cens"),
    ("lung", "time", "status"),
    ("larynx", "time", "death"),
)
WAYS: tuple[Ties, ...] = ("efron", "breslow")
BOUND = 1e-3  # of the coefficients, as the project set it
REPEATS = 5


@dataclass(frozen=True)
class Cohort:
    """One data set, rows with missing values left out."""

    name: str
    frame: Any
    columns: tuple[str, str]
    features: np.ndarray
    times: np.ndarray
    events: np.ndarray

    @property
    def tied(self) -> int:
        """Events that share their time with another."""
        _, counts = np.unique(self.times[self.events > 0], return_counts=True)
        return int(counts[counts > 1].sum())


def main() -> None:
    if importlib.util.find_spec("lifelines") is None:
        print("lifelines is missing (pip install lifelines): nothing measured")
        return
    warnings.simplefilter("ignore")  # of autograd and pandas
    further = [each for each in ("statsmodels", "tf_keras") if importlib.util.find_spec(each) is None]
    print(f"bound of the coefficients: {BOUND}" + "".join(f"; {each} is missing: no row of it" for each in further))
    print(
        f"{'data set':<18}{'n':>5}{'events':>7}{'tied':>6}  {'compared':<28}{'coefficients':>13}{'share':>10}  C-index"
    )
    for cohort in cohorts():
        start = f"{cohort.name:<18}{len(cohort.times):>5}{int(cohort.events.sum()):>7}{cohort.tied:>6}"
        for row in rows(cohort, further):
            print(f"{start:<36}  {row}")
            start = ""


def cohorts() -> Iterator[Cohort]:
    """The data sets, read from lifelines' package."""
    from lifelines import datasets

    for name, duration, event in DATA_SETS:
        frame = getattr(datasets, f"load_{name}")().select_dtypes("number").dropna().astype(float)
        features = frame.drop(columns=[duration, event]).to_numpy()
        times, events = frame[duration].to_numpy(), frame[event].to_numpy()
        yield Cohort(name, frame, (duration, event), features, times, events)


def rows(cohort: Cohort, missing: list[str]) -> Iterator[str]:
    """One line for each reference there is."""
    from lifelines import CoxPHFitter

    features, times, events = cohort.features, cohort.times, cohort.events
    fits = {ties: fit_cox(features, times, events, ties) for ties in WAYS}
    theirs = CoxPHFitter().fit(cohort.frame, *cohort.columns)
    index = concordance_interval(times, features @ fits["efron"].coefficients, events, seed=1)
    apart = abs(index.index - theirs.concordance_index_)
    their_seconds = fastest(lambda: CoxPHFitter().fit(cohort.frame, *cohort.columns))
    ratio = their_seconds / fastest(lambda: fit_cox(features, times, events))
    yield (
        f"{line('efron: lifelines', fits['efron'], theirs.params_.to_numpy())}"
        f"  {index.index:.4f} [{index.low:.3f}, {index.high:.3f}], {'equal' if apart == 0 else f'{apart:.1e} apart'};"
        f" {ratio:.1f}x as fast as its fit, which makes tables too"
    )
    if "statsmodels" not in missing:
        from statsmodels.duration.hazard_regression import PHReg

        for ties, fit in fits.items():
            yield line(f"{ties}: statsmodels", fit, PHReg(times, features, events, ties=ties).fit().params)
    if "tf_keras" not in missing:
        for ties, fit in fits.items():
            trained = minimise_network_loss(cohort, ties)
            apart = abs(concordance_index(times, features @ trained, events) - index.index)
            told = f"  {'equal' if apart == 0 else f'{apart:.1e} apart'}" if ties == "efron" else ""
            yield line(f"{ties}: tf_keras, fit_cox", fit, trained) + told


def line(name: str, fit: CoxFit, other: np.ndarray) -> str:
    """The largest differences, and whether they are within the bound."""
    differences = np.abs(fit.coefficients - other)
    mark = " " if differences.max() <= BOUND else "!"
    return f"{name:<28}{differences.max():>12.1e}{mark}{(differences / fit.standard_errors).max():>10.1e}"


def minimise_network_loss(cohort: Cohort, ties: Ties) -> np.ndarray:
    """Coefficients at which the loss of ``imaging.survival.loss`` is least, by its own gradient (BFGS of scipy)."""
    from scipy.optimize import minimize

    from imaging.keras import tensorflow
    from imaging.survival.loss import cox_partial_likelihood

    scale = cohort.features.std(axis=0)
    features = tensorflow.constant((cohort.features - cohort.features.mean(axis=0)) / scale)
    truth = tensorflow.constant(np.column_stack([cohort.times, cohort.events]))
    loss_of = cox_partial_likelihood(ties)

    def value_and_slope(beta: np.ndarray) -> tuple[float, np.ndarray]:
        given = tensorflow.constant(beta[:, None])
        with tensorflow.GradientTape() as tape:
            tape.watch(given)
            loss = loss_of(truth, tensorflow.matmul(features, given))
        return float(loss), tape.gradient(loss, given).numpy()[:, 0]

    found = minimize(value_and_slope, np.zeros(len(scale)), jac=True, method="BFGS", options={"gtol": 1e-9})
    return found.x / scale


def fastest(call: Callable[[], object]) -> float:
    """Seconds of the fastest of some calls."""
    taken = []
    for _ in range(REPEATS):
        begun = time.perf_counter()
        call()
        taken.append(time.perf_counter() - begun)
    return min(taken)


if __name__ == "__main__":
    main()
