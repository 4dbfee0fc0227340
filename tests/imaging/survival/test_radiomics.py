"""Cox on volume, uptake and number of outlined lesions."""

from __future__ import annotations

import numpy as np
import pytest

from imaging.data.cases import Case
from imaging.survival.cox import concordance_index
from imaging.survival.radiomics import facts, fitted


def _case() -> Case:
    pet = np.full((2, 8, 8), 1.0, dtype=np.float32)
    mask = np.zeros(pet.shape, dtype=np.bool_)
    mask[:, 1:3, 1:3] = mask[0, 6, 6] = True
    pet[mask] = 4.0
    return Case("a", "a", pet, None, mask, (5.0, 2.0, 2.0))


def test_facts_by_hand() -> None:
    case = _case()
    assert facts(case, case.mask) == pytest.approx([np.log(9 * 0.02 + 0.05), np.log(4.05), 2])
    nothing = facts(case, np.zeros_like(case.mask))
    assert nothing == pytest.approx([np.log(0.05), np.log(0.05), 0])


def test_a_fit_finds_the_hazard_of_which_the_times_were_drawn_and_a_constant_fact_does_not_hinder() -> None:
    random = np.random.default_rng(0)
    known = random.normal(size=(600, 3)) * [1.0, 1.0, 0.0]
    months = random.exponential(np.exp(-known @ [1.0, -0.5, 7.0]))
    model = fitted(known, months, np.ones(600))
    assert model.coefficients == pytest.approx([1.0, -0.5, 0.0], abs=0.15)
    assert concordance_index(months, model(known), np.ones(600)) > 0.7
