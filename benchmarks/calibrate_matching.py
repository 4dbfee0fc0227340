"""Fit the probability that two product names mean the same product, on the tuning half of the labelled pairs.

A pair knows which advisory means which device, not which leaf of its tree does: the leaf the model believes in most
stands for the pair, and fitting is repeated until the choice no longer changes (multiple-instance learning; Andrews et
al., NIPS 2002). Prints the figures of a ten-fold cross-validation by advisory.

    python benchmarks/calibrate_matching.py            figures only
    python benchmarks/calibrate_matching.py --write    and analyzers/matching/names/calibration.toml anew
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from analyzers.matching.names.aliases import known_names
from analyzers.matching.names.alignment import align
from analyzers.matching.names.identity import features
from analyzers.matching.names.reading import read_device_name, read_product_names
from analyzers.matching.names.vendors import compare_vendors
from analyzers.matching.stated import stated_products
from tests.analyzers.matching.labelled_pairs import Pair, advisories, missing, pairs

TARGET = Path(__file__).resolve().parent.parent / "analyzers" / "matching" / "names" / "calibration.toml"
ROUNDS = 8
REGULARISATION = 1.0
FOLDS = 10
FIRM = 0.95
UNTAUGHT = frozenset({"not_affected"})
"""Kinds of pairs whose label does not tell whether the product is the right one."""


@dataclass(frozen=True, slots=True)
class Bag:
    """A labelled pair: the readings of all leaves of its advisory that have something in common with its device.

    Attributes
    ----------
    right
        Whether one of them is the device's product, at whatever version.
    rows
        Positions in the matrix of features.
    """

    pair: Pair
    right: bool
    rows: tuple[int, ...]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", action="store_true", help="write the weights into the matching room")
    arguments = parser.parse_args()
    if missing():
        print(f"not measured, {missing()}")
        return
    bags, names, matrix = prepare([pair for pair in pairs() if pair.half == "tuning" and pair.kind not in UNTAUGHT])
    predicted = cross_validated(bags, matrix, names)
    right = numpy.array([bag.right for bag in bags])
    for limit in (0.5, 0.7, 0.8, 0.9):
        said = predicted >= limit
        precision, recall = (right & said).sum() / said.sum(), (right & said).sum() / right.sum()
        print(f"product identity at {limit}: precision {precision:.3f}, recall {recall:.3f}, cross-validated")
    firm = predicted >= FIRM
    ceiling = float((right & firm).sum() + 1) / float(firm.sum() + 2)
    print(f"of {firm.sum()} pairs above {FIRM}, {(right & firm).sum()} are right: ceiling {ceiling:.4f}")
    fitted = fit(bags, matrix, names)
    if arguments.write:
        TARGET.write_text(as_toml(fitted, names, ceiling, len(bags)), encoding="utf-8")
        print(f"wrote {TARGET.name}")


def prepare(chosen: Sequence[Pair]) -> tuple[list[Bag], list[str], numpy.ndarray]:
    """Features of every reading of every leaf, by pair."""
    rows: list[dict[str, float]] = []
    bags = []
    for pair in chosen:
        first = len(rows)
        rows += readings(pair)
        bags.append(Bag(pair, pair.affected or pair.kind == "fixed", tuple(range(first, len(rows)))))
    names = sorted({name for row in rows for name in row})
    return bags, names, numpy.array([[row.get(name, 0.0) for name in names] for row in rows])


def readings(pair: Pair) -> list[dict[str, float]]:
    device = pair.device
    stated = {each for leaf in advisories()[pair.advisory].products for each in stated_products(leaf)}
    found = []
    for vendor_name, product in sorted({(each.vendor, each.product) for each in stated}):
        vendor = compare_vendors(device.vendor, vendor_name)
        if vendor is None:
            continue
        names = read_product_names(product, vendor_name, device.vendor)
        for called in known_names(device.vendor, device.model):
            own = read_device_name(called, device.vendor, vendor_name, device.model_number)
            alignments = [alignment for name in names if (alignment := align(own, name)) is not None]
            fitting = [each for each in alignments if called == device.model or not each.stated.telling]
            found += [features(alignment, vendor.relation) for alignment in fitting]
    return found


def fit(bags: Sequence[Bag], matrix: numpy.ndarray, names: Sequence[str]) -> LogisticRegression:
    """Choose the leaf of each pair, fit, and choose again."""
    hopeful = {
        "exact": 2.0,
        "only_code": 1.0,
        "nothing_extra": 1.0,
        "models_differ_code": -2.0,
        "both_extra_brand": -1.0,
    }
    scores = sum(matrix[:, names.index(name)] * weight for name, weight in hopeful.items())
    for _ in range(ROUNDS):
        filled = [bag for bag in bags if bag.rows]
        chosen = [max(bag.rows, key=lambda row: scores[row]) for bag in filled]
        model = LogisticRegression(C=REGULARISATION, max_iter=2000)
        model.fit(matrix[chosen], [bag.right for bag in filled])
        scores = model.decision_function(matrix)
    return model


def cross_validated(bags: Sequence[Bag], matrix: numpy.ndarray, names: Sequence[str]) -> numpy.ndarray:
    predicted = numpy.zeros(len(bags))
    groups = [bag.pair.advisory for bag in bags]
    for taught, held in GroupKFold(FOLDS).split(bags, groups=groups):
        odds = fit([bags[index] for index in taught], matrix, names).predict_proba(matrix)[:, 1]
        for index in held:
            predicted[index] = max((odds[row] for row in bags[index].rows), default=0.0)
    return predicted


def as_toml(fitted: LogisticRegression, names: Sequence[str], ceiling: float, count: int) -> str:
    weights = {name: round(float(weight), 3) for name, weight in zip(names, fitted.coef_[0], strict=True)}
    lines = [
        "# Log-odds a unit of each feature (analyzers/matching/names/identity.py), fitted on "
        f"{count} labelled pairs of the tuning half",
        "# by benchmarks/calibrate_matching.py --write. Measured, not to be edited by hand.",
        f"intercept = {round(float(fitted.intercept_[0]), 3)}",
        f"ceiling = {round(ceiling, 4)}",
        "",
        "[weights]",
        *(f"{name} = {weight}" for name, weight in weights.items() if weight),
    ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
