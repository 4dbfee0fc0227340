"""One synthetic case from end to end: made, outlined, doubted, its risk told, and drawn."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from imaging.data.cases import Case, Floats, read_cases
from imaging.networks.config import NetworkConfig
from imaging.networks.files import load_whole
from imaging.networks.multitask import RISK, of_slices, without_risk
from imaging.segmentation.findings import Lesion, lesions
from imaging.segmentation.metrics import dice
from imaging.segmentation.outline import load_outline
from imaging.segmentation.record import read_run
from imaging.survival.risk import evidence_by, log_hazards
from imaging.synthetic.synthesize import drawn, synthesize
from imaging.uncertainty.figures import case_panel
from imaging.uncertainty.maps import summarise
from imaging.uncertainty.sampling import PASSES, StochasticNetwork, monte_carlo
from meddojo.errors import InputError

COMPARED = 40
"""Further synthetic patients that the risk is told beside."""
_SLICES = 4


@dataclass(frozen=True, slots=True)
class Shown:
    """What the demonstration found.

    Attributes
    ----------
    dice
        Of the outline.
    unsure
        Mean predictive entropy over the outline, in nats.
    log_hazard, low, high
        Of the patient, relative to the median of the others; the interval is that of the 2.5th and 97.5th percentile
        over passes of Monte Carlo dropout.
    higher_than
        Share of the others with a lower risk.
    true_log_hazard
        That the case was drawn with, relative to the median of the others.
    """

    picture: Path
    dice: float
    lesions: tuple[Lesion, ...]
    unsure: float
    log_hazard: float
    low: float
    high: float
    higher_than: float
    true_log_hazard: float


def demonstrate(model: Path, out: Path, size: int, seed: int, advance: Callable[[str], None] = lambda _: None) -> Shown:
    """Make a case the model has not seen, and show what the model makes of it.

    Parameters
    ----------
    model
        A run of a `multitask` network that was trained on synthetic cases.
    out
        Picture to write.
    size
        Rows and columns of a slice.
    seed
        Of the cases; the first is shown, the others are what its risk is told beside.

    Raises
    ------
    InputError
        If the model cannot be read, or was trained on these very cases.
    """
    run, (config, network) = read_run(model), load_whole(model)
    with tempfile.TemporaryDirectory() as folder:
        cases = Path(folder) / "cases"
        synthesize(cases, COMPARED + 1, size, _SLICES, seed)
        case, *others = read_cases(cases)
        hazards = np.array([each.log_hazard for each in drawn(cases).values()])
    if any(each.digest() in run.seen for each in (case, *others)):
        raise InputError(str(model), f"seed {seed}", "is that of the cases it was trained on", "name another --seed")
    advance("made")
    sampled = StochasticNetwork(without_risk(network))
    maps = summarise(monte_carlo(sampled, config, case, PASSES, seed))
    outline = load_outline(model)(maps.mean)
    advance("outlined")
    own, *compared = log_hazards(network, config, [case, *others])
    median = float(np.median(compared))
    low, high = np.percentile(_doubted(network, config, case, seed), (2.5, 97.5)) - median
    advance("risk told")
    case_panel(out, case, outline, None, maps.predictive_entropy)
    advance("drawn")
    return Shown(
        out,
        dice(outline, case.mask),
        tuple(lesions(case, outline)),
        float(maps.predictive_entropy[outline].mean()) if outline.any() else 0.0,
        float(own) - median,
        float(low),
        float(high),
        float(np.mean(np.array(compared) < own)),
        float(hazards[0] - np.median(hazards[1:])),
    )


def _doubted(network: Any, config: NetworkConfig, case: Case, seed: int) -> Floats:
    """Log-hazards of a case with dropout on, one a pass."""
    sampled, head = StochasticNetwork(of_slices(network)), network.get_layer(RISK)
    found = []
    for drawing in np.random.default_rng(seed).integers(2**31, size=PASSES):
        sampled.draw(int(drawing))
        found.append(head(evidence_by(sampled, config, [case]), training=False))
    return np.asarray(found, dtype=np.float32).ravel()
