"""The training run of the models of medicine: in half a minute, and without the other models."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

import numpy as np

from analyzers.vuln_classifier.labels import Example
from analyzers.vuln_classifier.medical_data import MedicalSources, training_rows
from analyzers.vuln_classifier.medical_training import fit_kinds, fit_relevance
from analyzers.vuln_classifier.medicine import MedicalModel
from analyzers.vuln_classifier.training import Progress

RECIPE = 1
FLOOR = 0.9
"""Of relevance: of later records told from here on, 0.89 to 0.99 were found medical by a reader who counts what is
unclear as wrong; at 0.7, trained on more years, 0.78."""
KIND_FLOOR = 0.5
"""Of the kind of device: the likeliest kind was right in 19 of 20 later records."""
FEWEST_MEDICAL = 20


def train_medical(
    examples: Sequence[Example],
    sources: MedicalSources,
    end: date,
    seed: int,
    progress: Progress,
    *,
    written_down: bool = True,
) -> MedicalModel | None:
    """Models from what was known before `end`.

    Parameters
    ----------
    written_down
        Whether makers and product families written down by hand may be used; False for an ablation.

    Returns
    -------
    MedicalModel or None
        None with too few medical records.
    """
    progress("medicine: reading")
    rows = training_rows(examples, sources.advisories, end)
    if min(int(rows.classes.sum()), int((rows.kinds >= 0).sum())) < FEWEST_MEDICAL:
        return None
    progress(f"medicine: relevance from {int(rows.classes.sum()):,} of {len(rows):,} records")
    relevance, _ = fit_relevance(rows, seed, written_down=written_down)
    progress(f"medicine: kind of device from {int(np.count_nonzero(rows.kinds >= 0)):,} records")
    kinds, _ = fit_kinds(rows, sources.devices, seed, written_down=written_down)
    last = (end - timedelta(days=1)).isoformat()
    return MedicalModel(f"{last}.{RECIPE}", relevance, kinds, FLOOR, KIND_FLOOR)
