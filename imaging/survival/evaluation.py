"""The risk head on patients it never saw, beside plain radiomics and, where the hazard is known, the best reachable."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from imaging.data.cases import Case, read_cases
from imaging.networks.files import load, load_whole
from imaging.networks.multitask import MULTITASK
from imaging.segmentation.prediction import predict
from imaging.segmentation.record import CHECKPOINT, digest, read_run
from imaging.survival.cox import Concordance, Floats, concordance_interval
from imaging.survival.radiomics import facts_of, fitted
from imaging.survival.risk import log_hazards, outcomes
from imaging.survival.training import outcomes_told
from imaging.synthetic.synthesize import drawn, reachable_c_index
from meddojo.errors import InputError

NETWORK, RADIOMICS, BY_HAND, TRUTH = (
    "network",
    "Cox on the predicted outline",
    "Cox on the true outline",
    "the true hazard",
)


@dataclass(frozen=True, slots=True)
class Survival:
    """C-indices of several ways to tell the risk, on the same cases.

    Attributes
    ----------
    events
        How many of the cases had theirs seen.
    rows
        C-index with its interval, by the name of the method.
    undetermined
        Methods left out because their Cox model has no coefficients, as where nothing is outlined in most cases.
    reachable
        Expected C-index of the true hazard; None where it is not known.
    """

    cases: int
    events: int
    rows: dict[str, Concordance]
    undetermined: tuple[str, ...]
    reachable: float | None

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)

    def table(self) -> Iterator[str]:
        """Lines for a person."""
        yield f"{'risk by':<30}{'C-index':>8}  95 % interval     ({self.cases} cases, {self.events} events)"
        for name, row in self.rows.items():
            yield f"{name:<30}{row.index:8.3f}  {row.low:.3f} to {row.high:.3f}"
        for name in self.undetermined:
            yield f"{name:<30}       -  its coefficients are undetermined"
        if self.reachable is not None:
            yield f"{'best to be expected':<30}{self.reachable:8.3f}"


def evaluate(folder: Path, data: Path, seed: int = 1, advance: Callable[[str], None] = lambda _: None) -> Survival:
    """Measure on the test patients of a run, or on all cases of data it was not trained on.

    Radiomics are fitted to the other patients of the data trained on, with outlines of the same network; on other data
    they are left out.

    Parameters
    ----------
    folder
        Of a finished training of a `multitask` network.
    data
        Folder of cases with months and event.
    seed
        Of the bootstrap.

    Raises
    ------
    InputError
        If either cannot be read, the training has not ended or has no risk head, a case has no outcome, other data hold
        an image of the training, or no two patients can be compared.
    """
    run = read_run(folder)
    if (folder / CHECKPOINT).exists():
        raise InputError(str(folder), "", "is of a training that has not ended", "go on: meddojo imaging train")
    config, network = load_whole(folder)
    if config.architecture != MULTITASK:
        raise InputError(
            str(folder), "", "is of a network that tells no risk", f"train one with --architecture {MULTITASK}"
        )
    cases = list(read_cases(data))
    same = digest(cases) == run.data
    for case in cases:
        if not same and case.digest() in run.seen:
            raise InputError(str(data), case.name, "is an image the network was trained on, in data that are other")
    others = [case for case in cases if same and case.patient not in set(run.division.test)]
    test = [case for case in cases if not same or case.patient in set(run.division.test)]
    with outcomes_told(data):
        months, events = outcomes(test).astype(float).T
        risks = {NETWORK: log_hazards(network, config, test)}
        radiomics = dict(_by_radiomics(folder, others, test, advance))
        risks |= {name: each for name, each in radiomics.items() if each is not None}
        known = drawn(data)
        if all(case.name in known for case in test):
            risks[TRUTH] = np.array([known[case.name].log_hazard for case in test])
        rows = {name: concordance_interval(months, each, events, seed) for name, each in risks.items()}
    reachable = reachable_c_index([known[case.name] for case in test]) if TRUTH in risks else None
    undetermined = tuple(name for name, each in radiomics.items() if each is None)
    return Survival(len(test), int(events.sum()), rows, undetermined, reachable)


def _by_radiomics(
    folder: Path, others: Sequence[Case], test: Sequence[Case], advance: Callable[[str], None]
) -> Iterator[tuple[str, Floats | None]]:
    """Log-hazards of the test by each outline; None where the other cases determine no coefficients."""
    if not others:
        return
    config, network = load(folder)

    def outline(case: Case) -> Any:
        advance(case.name)
        return predict(network, config, case) > 0.5

    months, events = outcomes(others).astype(float).T
    for name, of in ((RADIOMICS, outline), (BY_HAND, lambda case: case.mask)):
        try:
            model = fitted(facts_of(others, of), months, events)
        except ValueError:
            yield name, None
        else:
            yield name, model(facts_of(test, of))
