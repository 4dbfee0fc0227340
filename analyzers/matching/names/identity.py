"""From what was compared to a probability that the product a source names is the device.

A logistic regression over the features below, fitted on labelled pairs of devices and advisories
(``tests/analyzers/matching/labelled``, tuning half) by ``benchmarks/calibrate_matching.py``; its weights stand in
``calibration.toml``. The choice of features is ours, their weights are measured.
"""

from __future__ import annotations

import math
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from analyzers.matching.names.alignment import Alignment, Tie
from analyzers.matching.names.vendors import VendorRelation

OTHER_MODEL = 0.45
"""Highest probability of two names with different model designations: dropped, but countable."""

_LOOSE = frozenset({Tie.MEMBER, Tie.TYPE_KEY, Tie.FAMILY, Tie.HUNDREDS})
_CLOSE = frozenset({VendorRelation.EXACT, VendorRelation.ALIAS})


@dataclass(frozen=True, slots=True)
class Calibration:
    """The fitted weights, in log-odds a unit of the feature.

    Attributes
    ----------
    ceiling
        Share of the firmest matches that are right; no probability is higher.
    """

    intercept: float
    weights: Mapping[str, float]
    ceiling: float


def probability(alignment: Alignment, vendor: VendorRelation) -> float:
    """That the stated product is the device, 0 to 1; versions aside.

    Two names that each have a model designation the other lacks are two models, whatever else they share: a vendor with
    a hundred siblings in one advisory would otherwise fill the review with them.
    """
    likely = score(features(alignment, vendor), calibration())
    differ = alignment.own.models > 0 and alignment.stated.models > 0
    return min(likely, OTHER_MODEL) if differ else likely


def score(measured: Mapping[str, float], fitted: Calibration) -> float:
    """Probability of a row of features."""
    odds = fitted.intercept + sum(fitted.weights.get(name, 0.0) * value for name, value in measured.items())
    return min(fitted.ceiling, 1.0 / (1.0 + math.exp(-odds)))


def features(found: Alignment, vendor: VendorRelation) -> dict[str, float]:
    """What the regression sees, by name; counts are capped and scaled to 1."""
    own, stated = found.own, found.stated
    where = "code" if found.codes else "number" if found.numbers else "coined" if found.coined else "brand"
    loose = bool(found.ties & _LOOSE) and Tie.SAME not in found.ties
    family = own.models > 0 and not own.words and not own.variants and not stated.telling and not stated.suffixes
    return {
        "exact": float(found.exact),
        f"only_{where}": 1.0,
        "several_models": float(found.codes + found.numbers > 1),
        f"words_beside_{where}": min(found.words, 3) / 3,
        "coined": min(found.coined, 2) / 2,
        f"descriptors_beside_{where}": min(found.descriptors, 3) / 3,
        f"leads_{where}": float(found.leads),
        **{f"tie_{tie.name.lower()}": 1.0 for tie in found.ties if tie is not Tie.SAME},
        "loose_words_differ": float(loose and own.words > 0 and stated.words > 0),
        "loose_own_words": float(loose and own.words > 0),
        "short_form": float(found.short_form),
        "part": float(found.part),
        "family_member": float(family),
        f"own_models_{where}": float(own.models > 0 and not stated.models),
        f"stated_models_{where}": float(stated.models > 0 and not own.models),
        f"models_differ_{where}": float(own.models > 0 and stated.models > 0),
        f"own_words_before_{where}": min(own.words_before, 2) / 2,
        f"own_words_after_{where}": min(own.words_after, 2) / 2,
        f"stated_words_before_{where}": min(stated.words_before, 2) / 2,
        f"stated_words_after_{where}": min(stated.words_after, 2) / 2,
        f"words_differ_{where}": float(own.words > 0 and stated.words > 0),
        f"both_extra_{where}": float(own.telling and stated.telling),
        "own_suffixes": float(own.suffixes > 0),
        "stated_suffixes": float(stated.suffixes > 0),
        f"own_descriptors_{where}": min(own.descriptors, 2) / 2,
        f"stated_descriptors_{where}": min(stated.descriptors, 2) / 2,
        f"descriptors_differ_{where}": float(own.descriptors > 0 and stated.descriptors > 0),
        "own_variants": float(own.variants > 0),
        "stated_variants": float(stated.variants > 0),
        "own_roles": float(own.roles > 0),
        "stated_roles": float(stated.roles > 0),
        "roles_differ": float(own.roles > 0 and stated.roles > 0),
        "own_accessories": float(own.accessories > 0),
        "stated_accessories": float(stated.accessories > 0),
        "nothing_extra": float(not own.telling and not stated.telling),
        "own_tail": float(found.own_tail),
        "stated_tail": float(found.stated_tail),
        "asides_differ": float(found.asides_differ),
        "vendor_not_close": float(vendor not in _CLOSE and vendor is not VendorRelation.UNSTATED),
        "vendor_unstated": float(vendor is VendorRelation.UNSTATED),
    }


@cache
def calibration() -> Calibration:
    """Read the weights that are shipped beside this module."""
    data = tomllib.loads(files("analyzers.matching.names").joinpath("calibration.toml").read_text(encoding="utf-8"))
    return Calibration(data["intercept"], data["weights"], data["ceiling"])
