"""How well matching tells which devices an advisory means, on labelled pairs, beside two plain alternatives.

The pairs are those of tests/analyzers/matching/labelled, the advisories those of ../shared/data. An advisory lies in
the tuning half or in the test half, by its hash; what was learned, was learned from the tuning half only. The
alternatives compare names in their own way, and versions with the same reader as MedDojo, so that only names differ:

exact      lower-case vendor and product are equal
token set  rapidfuzz token_set_ratio of vendor and product, above the threshold that is best on the very half reported

    python benchmarks/matching_labels.py                     figures of both halves
    python benchmarks/matching_labels.py --errors tuning     what went wrong there
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from rapidfuzz.fuzz import token_set_ratio

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from analyzers.matching.versions.reader import parse_versions
from analyzers.matching.versions.sets import Verdict, contains
from meddojo.advisory import AffectedProduct, ProductStatus
from tests.analyzers.matching.labelled_pairs import Pair, advisories, claims_of, missing, pairs, probability

DELIVERED = 0.8
BINS = 10
CLEARED = (ProductStatus.FIXED, ProductStatus.FIRST_FIXED, ProductStatus.KNOWN_NOT_AFFECTED)


@dataclass(frozen=True, slots=True)
class Scores:
    """Right and wrong answers at one threshold."""

    hits: int
    false_alarms: int
    misses: int

    @property
    def precision(self) -> float:
        """Share of what was delivered that is right."""
        return self.hits / max(1, self.hits + self.false_alarms)

    @property
    def recall(self) -> float:
        """Share of what is affected that was delivered."""
        return self.hits / max(1, self.hits + self.misses)

    @property
    def f1(self) -> float:
        """Harmonic mean of the two."""
        return 2 * self.hits / max(1, 2 * self.hits + self.false_alarms + self.misses)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--errors", choices=("tuning", "test"), help="print every wrong answer of a half")
    arguments = parser.parse_args()
    if missing():
        print(f"not measured, {missing()}")
        return
    labelled = pairs()
    print(f"{len(labelled)} pairs of {len({pair.advisory for pair in labelled})} advisories")
    if arguments.errors:
        print_errors([pair for pair in labelled if pair.half == arguments.errors])
        return
    for half in ("tuning", "test"):
        report(half, [pair for pair in labelled if pair.half == half])


def report(half: str, chosen: Sequence[Pair]) -> None:
    """The table of one half."""
    affected = sum(pair.affected for pair in chosen)
    print(f"\n{half}: {len(chosen)} pairs, {affected} affected, {len(chosen) - affected} not")
    ours = [probability(pair, claims_of(pair)) for pair in chosen]
    exact = [plain(pair, same_names) for pair in chosen]
    ratios = [plain(pair, ratio) for pair in chosen]
    best = max((step / 100 for step in range(30, 101)), key=lambda limit: scores(chosen, ratios, limit).f1)
    print(f"{'':24} precision  recall    F1    false alarms  misses")
    for label, found, limit in (
        ("MedDojo", ours, DELIVERED),
        ("exact", exact, 0.5),
        (f"token set >= {best}", ratios, best),
    ):
        result = scores(chosen, found, limit)
        row = (
            f"{result.precision:9.3f} {result.recall:8.3f} {result.f1:7.3f} {result.false_alarms:9} {result.misses:10}"
        )
        print(f"{label:24}{row}")
    for feed in ("ICSMA", "ICSA"):
        within = [index for index, pair in enumerate(chosen) if pair.advisory.startswith(f"{feed}-")]
        part = scores([chosen[index] for index in within], [ours[index] for index in within], DELIVERED)
        figures = f"precision {part.precision:.3f}, recall {part.recall:.3f}, F1 {part.f1:.3f}"
        print(f"  {feed:6} {len(within):4} pairs: {figures}")
    print(f"calibration: ECE {calibration_error(chosen, ours):.3f} in {BINS} bins")
    review = Counter(pair.affected for pair, value in zip(chosen, ours, strict=True) if 0.5 <= value < DELIVERED)
    print(f"for review: {review[True]} affected, {review[False]} not")
    wrong = Counter(
        pair.kind for pair, value in zip(chosen, ours, strict=True) if (value >= DELIVERED) != pair.affected
    )
    total = Counter(pair.kind for pair in chosen)
    print("wrong by kind: " + ", ".join(f"{kind} {wrong[kind]}/{number}" for kind, number in total.most_common()))


def scores(chosen: Sequence[Pair], found: Sequence[float], limit: float) -> Scores:
    counts = Counter((pair.affected, value >= limit) for pair, value in zip(chosen, found, strict=True))
    return Scores(counts[True, True], counts[False, True], counts[True, False])


def calibration_error(chosen: Sequence[Pair], found: Sequence[float]) -> float:
    """Expected calibration error over bins of equal width (Naeini et al., AAAI 2015)."""
    error = 0.0
    for step in range(BINS):
        within = [
            (pair.affected, value)
            for pair, value in zip(chosen, found, strict=True)
            if step / BINS <= value < (step + 1) / BINS or (step == BINS - 1 and value == 1.0)
        ]
        if within:
            gap = sum(affected for affected, _ in within) - sum(value for _, value in within)
            error += abs(gap) / len(chosen)
    return error


def plain(pair: Pair, similar: Callable[[Pair, AffectedProduct], float]) -> float:
    """Similarity of the best leaf that is affected and whose versions hold the installed one."""
    advisory = advisories()[pair.advisory]
    meant = [each for each in advisory.vulnerabilities if pair.cve in ("", each.id)]
    stated = {product_id for each in meant for product_id, status in each.statuses if status not in CLEARED}
    return max(
        (
            similar(pair, leaf)
            for leaf in advisory.products
            if leaf.product_id in stated
            and contains(parse_versions(leaf.version_text), pair.device.version) is not Verdict.NOT_AFFECTED
        ),
        default=0.0,
    )


def same_names(pair: Pair, leaf: AffectedProduct) -> float:
    own = (pair.device.vendor.lower(), pair.device.model.lower())
    return float(own == (leaf.vendor.lower(), leaf.product.lower()))


def ratio(pair: Pair, leaf: AffectedProduct) -> float:
    own = f"{pair.device.vendor} {pair.device.model}".lower()
    return token_set_ratio(own, f"{leaf.vendor} {leaf.product}".lower()) / 100


def print_errors(chosen: Sequence[Pair]) -> None:
    for pair in chosen:
        claims = claims_of(pair)
        value = probability(pair, claims)
        if (value >= DELIVERED) == pair.affected:
            continue
        device = pair.device
        print(f"\n{value:.2f} {'MISSED' if pair.affected else 'FALSE ALARM'} {pair.kind} {pair.advisory} {pair.cve}")
        print(f"  device {device.vendor!r} {device.model!r} {device.version!r} {device.model_number}")
        print(f"  label: {pair.why}")
        for reason in sorted({claim.citation.reason for claim in claims})[:3]:
            print(f"  ours: {reason}")
        if pair.affected and not claims:
            for leaf in advisories()[pair.advisory].products[:6]:
                print(f"  leaf: {leaf.vendor!r} {leaf.product!r} {leaf.version_text!r}")


if __name__ == "__main__":
    main()
