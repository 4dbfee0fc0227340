"""What else was tried for the CVSS models, each beside the models as they are: the reasons why they are not kept.

Trained before 2023-07-01, calibrated on July to September 2023; choices were made on October to December. The first
half of 2024 stands beside it for the record. Trees are fewer (60 rounds) than in the shipped models.

    python benchmarks/classifier_variants.py --data ../shared/data
"""

from __future__ import annotations

import argparse
import math
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from analyzers.vuln_classifier.boosting import fit_booster, probabilities, training_matrix
from analyzers.vuln_classifier.calibration import softmax
from analyzers.vuln_classifier.evaluation import measure
from analyzers.vuln_classifier.features import groups
from analyzers.vuln_classifier.heads import BAND, CVSS_HEADS, classes_of
from analyzers.vuln_classifier.joint import Decision, VectorSpace
from analyzers.vuln_classifier.labels import published_within, read_examples
from analyzers.vuln_classifier.linear import fit_linear, out_of_fold
from analyzers.vuln_classifier.recipe import BEGINNING, STANDARD
from analyzers.vuln_classifier.text import words
from analyzers.vuln_classifier.training import Rows, Stage, calibrator_on, fit_stage, recent_rows, stage_inputs, subset
from analyzers.vuln_classifier.vectors import METRICS, Floats, Integers

TABLE = "cve_dev.parquet"
ROUNDS = 60
HALF_LIFE_DAYS = 365.0
KNOWN_AFTER_DAYS = 90
NEIGHBOURS = 15
REMEMBERED = 20_000
Columns = tuple[Floats, Floats, Floats]
"""More columns for the trees: of the training rows, the calibration rows, and the test rows."""


@dataclass(frozen=True)
class Bench:
    """Everything the variants share."""

    stage: Stage
    rows: Rows
    chosen: Integers
    later: Rows
    test: Rows
    inputs: Columns
    space: VectorSpace
    seed: int


def prepare(data: Path, seed: int) -> Bench:
    """The linear stage and the rows of the standard split."""
    examples = read_examples(data / TABLE)
    rows = Rows.of(published_within(examples, BEGINNING, STANDARD.calibration))
    later = Rows.of(published_within(examples, STANDARD.calibration, STANDARD.test), primary=True)
    test = Rows.of(published_within(examples, STANDARD.test, STANDARD.end), primary=True)
    stage = fit_stage(rows, seed, lambda _: None)
    chosen = recent_rows(rows, STANDARD.calibration)
    space = VectorSpace.fit([rows.vectors[row] for row in chosen], rows.weights()[chosen], 3)
    inputs = stage.inputs[chosen], stage_inputs(stage, later), stage_inputs(stage, test)
    return Bench(stage, rows, chosen, later, test, inputs, space, seed)


def nothing(bench: Bench) -> Columns:
    """The models as they are."""
    return tuple(np.zeros((len(part), 0), dtype=np.float32) for part in bench.inputs)  # type: ignore[return-value]


def history(bench: Bench) -> Columns:
    """How this scorer rated before: alone, with this weakness, product, vendor, beginning and end of the text.

    Shares of each class with a half-life of a year, of ratings at least 90 days older (ordered target statistics;
    Prokhorenkova et al., "CatBoost", NeurIPS 2018).
    """
    truth = one_hot(bench.rows)
    keys = [history_keys(*pair) for pair in zip(bench.rows.records, bench.rows.scorers, strict=True)]
    days = [day.toordinal() for day in bench.rows.published]
    memory: defaultdict[str, list[float | Floats]] = defaultdict(lambda: [np.zeros(truth.shape[1]), 0.0, 0.0])
    overall = truth.mean(axis=0)
    found = np.zeros((len(keys), len(keys[0]) * (truth.shape[1] + 1)), dtype=np.float32)
    order = sorted(range(len(days)), key=days.__getitem__)
    learned = 0
    for row in order:
        while days[order[learned]] <= days[row] - KNOWN_AFTER_DAYS:
            remember(memory, keys[order[learned]], truth[order[learned]], days[order[learned]])
            learned += 1
        found[row] = recall(memory, keys[row], days[row], overall)
    for row in order[learned:]:
        remember(memory, keys[row], truth[row], days[row])
    held = [
        np.stack([recall(memory, history_keys(*pair), days[order[-1]], overall) for pair in pairs])
        for pairs in (zip(part.records, part.scorers, strict=True) for part in (bench.later, bench.test))
    ]
    return found[bench.chosen], held[0], held[1]


def history_keys(record, scorer) -> tuple[str, ...]:  # type: ignore[no-untyped-def]
    """From the most general to the most special."""
    who = groups(record, scorer)[1]
    text = words(record.description)
    parts = (
        "", f"weakness {record.cwes}", f"vendor {record.vendor}", f"product {record.vendor} {record.product}",
        f"begins {text[:4]}", f"ends {text[-4:]}",
    )  # fmt: skip
    return tuple(f"{who} {part}".lower() for part in parts)


def remember(memory, keys: Sequence[str], truth: Floats, day: int) -> None:  # type: ignore[no-untyped-def]
    """One more rating."""
    for key in keys:
        entry = memory[key]
        faded = 0.5 ** ((day - entry[2]) / HALF_LIFE_DAYS)
        memory[key] = [entry[0] * faded + truth, entry[1] * faded + 1.0, day]


def recall(memory, keys: Sequence[str], day: int, overall: Floats) -> Floats:  # type: ignore[no-untyped-def]
    """Shares of each class under each key, shrunk towards the scorer's own, and how many ratings they rest on."""
    parts: list[Floats] = []
    prior = overall
    for place, key in enumerate(keys):
        total, number, last = memory.get(key, (0.0, 0.0, day))
        faded = 0.5 ** ((day - last) / HALF_LIFE_DAYS)
        shares = (total * faded + 3.0 * prior) / (number * faded + 3.0)
        parts += [shares, np.array([math.log1p(number * faded)])]
        prior = shares if place == 0 else prior
    return np.concatenate(parts)


def one_hot(rows: Rows) -> Floats:
    """Classes of all targets side by side."""
    return np.hstack([np.eye(len(classes_of(name)))[classes] for name, classes in rows.targets().items()])


def characters(bench: Bench) -> Columns:
    """Linear models over character 3- to 5-grams inside words, out of fold, as the word models' outputs are."""
    from sklearn.feature_extraction.text import HashingVectorizer

    hashing = HashingVectorizer(analyzer="char_wb", ngram_range=(3, 5), n_features=2**18, alternate_sign=False)
    fields = len(bench.stage.features.text.terms)

    def read(rows: Rows):  # type: ignore[no-untyped-def]
        import scipy.sparse

        grams = hashing.transform([" ".join(words(record.description)) for record in rows.records])
        stated = bench.stage.features.build(rows.records, rows.scorers)[:, fields:]
        return scipy.sparse.csr_matrix(scipy.sparse.hstack([grams, stated]), dtype=np.float32)

    chosen = subset(bench.rows, bench.chosen.tolist())
    terms, held = read(chosen), [read(part) for part in (bench.later, bench.test)]
    ones = np.ones(len(chosen), dtype=np.float32)
    outputs: list[list[Floats]] = [[], [], []]
    for name, classes in chosen.targets().items():

        def fit(rows: Integers, classes: Integers = classes, number: int = len(classes_of(name))):  # type: ignore[no-untyped-def]
            return fit_linear(terms[rows], classes[rows], number, ones[rows], bench.seed, 5)

        outputs[0].append(out_of_fold(chosen.names, terms, fit))
        model = fit(np.arange(len(chosen)))
        for place, part in enumerate(held, start=1):
            outputs[place].append(model(part))
    return tuple(np.hstack(each).astype(np.float32) for each in outputs)  # type: ignore[return-value]


def latent(bench: Bench) -> Columns:
    """64 latent semantic dimensions of the text (Deerwester et al. 1990), in the stead of sentence embeddings."""
    return tuple(part.astype(np.float32) for part in embeddings(bench))  # type: ignore[return-value]


def neighbours(bench: Bench) -> Columns:
    """Votes of the 15 most similar of the newest 20,000 rated texts, at least 90 days older."""
    own, later, test = embeddings(bench)
    newest = np.argsort([bench.rows.published[row].toordinal() for row in bench.chosen])[-REMEMBERED:]
    days = np.array([bench.rows.published[row].toordinal() for row in bench.chosen])
    pool, truth = own[newest], one_hot(subset(bench.rows, bench.chosen.tolist()))[newest]

    def votes(texts: Floats, known_before: Integers | None) -> Floats:
        result = np.zeros((len(texts), truth.shape[1] + 1), dtype=np.float32)
        for first in range(0, len(texts), 1_000):
            alike = texts[first : first + 1_000] @ pool.T
            if known_before is not None:
                alike[days[newest][None, :] > known_before[first : first + 1_000, None]] = -1.0
            nearest = np.argpartition(-alike, NEIGHBOURS, axis=1)[:, :NEIGHBOURS]
            weight = np.exp(8.0 * (np.take_along_axis(alike, nearest, axis=1) - 1.0))
            shares = (weight[:, :, None] * truth[nearest]).sum(axis=1) / weight.sum(axis=1, keepdims=True)
            result[first : first + 1_000] = np.hstack([shares, alike.max(axis=1, keepdims=True)])
        return result

    return votes(own, days - KNOWN_AFTER_DAYS), votes(later, None), votes(test, None)


def embeddings(bench: Bench) -> Columns:
    """Latent dimensions of unit length."""
    from sklearn.decomposition import TruncatedSVD

    width = len(bench.stage.features.text.terms)
    texts = [bench.stage.terms[bench.chosen][:, :width]]
    texts += [bench.stage.features.read(part.records) for part in (bench.later, bench.test)]
    model = TruncatedSVD(64, n_iter=3, random_state=bench.seed).fit(texts[0])
    found = [model.transform(part) for part in texts]
    lengths = [np.maximum(np.linalg.norm(part, axis=1, keepdims=True), 1e-9) for part in found]
    return tuple((part / length).astype(np.float32) for part, length in zip(found, lengths, strict=True))  # type: ignore[return-value]


def independent(bench: Bench, extra: Columns) -> dict[str, tuple[Floats, Floats]]:
    """Each target by itself: probabilities of the calibration and the test rows."""
    return dict(_trees(bench, extra, chained=False))


def chained(bench: Bench, extra: Columns) -> dict[str, tuple[Floats, Floats]]:
    """A classifier chain: each target also reads the values of those before it (Read et al. 2011)."""
    return dict(_trees(bench, extra, chained=True))


def _trees(bench: Bench, extra: Columns, *, chained: bool) -> Iterator[tuple[str, tuple[Floats, Floats]]]:
    inputs = [np.hstack(pair).astype(np.float32) for pair in zip(bench.inputs, extra, strict=True)]
    matrix = training_matrix(inputs[0])
    for name, classes in bench.rows.targets().items():
        number = len(classes_of(name))
        matrix = training_matrix(inputs[0]) if chained else matrix
        weights = bench.rows.weights()[bench.chosen]
        booster = fit_booster(matrix, classes[bench.chosen], number, weights, bench.seed, ROUNDS)
        found = probabilities(booster, inputs[1]), probabilities(booster, inputs[2])
        yield name, found
        if chained:
            values = np.eye(number)[classes[bench.chosen]], *(np.eye(number)[each.argmax(axis=1)] for each in found)
            inputs = [np.hstack(pair).astype(np.float32) for pair in zip(inputs, values, strict=True)]


def report(name: str, bench: Bench, found: dict[str, tuple[Floats, Floats]]) -> None:
    """Calibrate on the first half of the calibration rows; print the figures of the second, and of the test rows."""
    half = len(bench.later) // 2
    first, second = subset(bench.later, range(half)), subset(bench.later, range(half, len(bench.later)))
    cells = []
    for rows, place, start in ((second, 0, half), (bench.test, 1, 0)):
        memberships = [groups(*pair) for pair in zip(rows.records, rows.scorers, strict=True)]
        calibrated = {
            target: calibrator_on(each[0][:half], first.targets()[target], first)(each[place][start:], memberships)
            for target, each in found.items()
        }
        decision = Decision()
        distribution = bench.space.distribution([calibrated[each] for each in METRICS], calibrated[BAND], decision)
        figures = measure(name, bench.space.vectors[bench.space.decide(distribution, decision)], rows, calibrated)
        mean = sum(figures.accuracy.values()) / len(METRICS)
        largest = max(figures.calibration.values())
        cells.append(f"{figures.band:.3f} | {figures.error:.2f} | {mean:.3f} | {largest:.3f}")
    print(f"| {name} | {' | '.join(cells)} |", flush=True)


VARIANTS: dict[str, tuple[Callable[[Bench], Columns], Callable[[Bench, Columns], dict[str, tuple[Floats, Floats]]]]] = {
    "as it is": (nothing, independent),
    "classifier chain": (nothing, chained),
    "history of the scorer's ratings": (history, independent),
    "character n-grams": (characters, independent),
    "latent dimensions of the text": (latent, independent),
    "votes of nearest neighbours": (neighbours, independent),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"), help="folder of the real data")
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    if not (arguments.data / TABLE).exists():
        print(f"{arguments.data / TABLE} is missing: nothing measured")
        return
    begun = time.perf_counter()
    bench = prepare(arguments.data, arguments.seed)
    figures = "band | MAE | mean accuracy | largest ECE"
    print(f"| variant | autumn 2023: {figures} | 2024: {figures} |")
    print("| --- " * 9 + "|")
    for name, (columns, predict) in VARIANTS.items():
        report(name, bench, predict(bench, columns(bench)))
    outputs = [bench.inputs[1], bench.inputs[2]]
    widths = np.cumsum([0, *(len(classes_of(name)) for name in CVSS_HEADS)])
    linear = {
        name: tuple(softmax(part[:, widths[place] : widths[place + 1]]) for part in outputs)
        for place, name in enumerate(CVSS_HEADS)
    }
    report("linear models only", bench, linear)  # type: ignore[arg-type]
    print(f"trained and measured in {time.perf_counter() - begun:,.0f} s")


if __name__ == "__main__":
    main()
