"""Fit the probability that two product names mean the same product, on the tuning half of the labelled pairs.

A pair knows which advisory means which device, not which leaf of its tree does: the leaf the model believes in most
stands for the pair, and fitting is repeated until the choice no longer changes (multiple-instance learning; Andrews et
al., NIPS 2002). Prints the figures of a ten-fold cross-validation by advisory.

Beside the labelled pairs stand products that nobody makes, at vendors of the tuning half: whatever such a name has in
common with a product of the vendor is chance. Others of them, from another seed, tell how often chance is delivered.

    python benchmarks/calibrate_matching.py            figures only
    python benchmarks/calibrate_matching.py --write    and analyzers/matching/names/calibration.toml anew
"""

from __future__ import annotations

import argparse
import random
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
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
from meddojo.device import Device
from tests.analyzers.matching.labelled_pairs import Pair, advisories, half_of, missing, pairs

TARGET = Path(__file__).resolve().parent.parent / "analyzers" / "matching" / "names" / "calibration.toml"
INVENTED = 1_000
INVENTED_WEIGHT = 0.5
SYLLABLES = "al ba cor dex fen gly hal ix jo kar lum med nor ox pul ra sen tor vas wen yo bri cla dro gra".split()
KINDS_OF_DEVICE = ("Infusion Pump", "Patient Monitor", "Ventilator", "Ultrasound System", "Access Switch", "Server")
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
    tuning = [pair for pair in pairs() if pair.half == "tuning" and pair.kind not in UNTAUGHT]
    bags, names, matrix = prepare([*tuning, *invented(INVENTED, seed=1)])
    predicted = cross_validated(bags, matrix, names)
    labelled = numpy.array([bag.pair.kind != "invented" for bag in bags])
    right = numpy.array([bag.right for bag in bags])[labelled]
    chance, predicted = predicted[~labelled], predicted[labelled]
    print(f"of {chance.size} invented products {int((chance >= 0.8).sum())} would be delivered, cross-validated")
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


def invented(number: int, seed: int) -> list[Pair]:
    """Products that nobody makes, at vendors of the tuning half."""
    dice = random.Random(seed)
    vendors = sorted({vendor for vendor, _ in products_of_tuning_half()})
    found = []
    for _ in range(number):
        word = "".join(dice.choices(SYLLABLES, k=dice.randint(2, 3))).capitalize()
        code = f"{dice.choice('ABCDEFGHKLMNPRSTVWX')}{dice.choice(('', 'X', '-', ' '))}{dice.randint(2, 990) * 10}"
        model = dice.choice((f"{word} {code}", f"{word} {dice.choice(KINDS_OF_DEVICE)}"))
        device = Device("invented", dice.choice(vendors), model)
        found.append(Pair("", device, "", False, "invented", "a name made of chance syllables"))
    return found


@cache
def products_of_tuning_half() -> frozenset[tuple[str, str]]:
    """Vendor and product of every leaf of the advisories of that half, labelled or not."""
    chosen = (advisory for advisory in advisories().values() if half_of(advisory.id) == "tuning")
    leaves = (leaf for advisory in chosen for leaf in advisory.products)
    return frozenset((each.vendor, each.product) for leaf in leaves for each in stated_products(leaf))


def stated_in(pair: Pair) -> Iterable[tuple[str, str]]:
    if not pair.advisory:
        return products_of_tuning_half()
    stated = (each for leaf in advisories()[pair.advisory].products for each in stated_products(leaf))
    return {(each.vendor, each.product) for each in stated}


def readings(pair: Pair) -> list[dict[str, float]]:
    device = pair.device
    found = []
    for vendor_name, product in sorted(stated_in(pair)):
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
        weight = [INVENTED_WEIGHT if bag.pair.kind == "invented" else 1.0 for bag in filled]
        model.fit(matrix[chosen], [bag.right for bag in filled], sample_weight=weight)
        scores = model.decision_function(matrix)
    return model


def cross_validated(bags: Sequence[Bag], matrix: numpy.ndarray, names: Sequence[str]) -> numpy.ndarray:
    predicted = numpy.zeros(len(bags))
    groups = [bag.pair.advisory or f"{bag.pair.device.vendor} {bag.pair.device.model}" for bag in bags]
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
