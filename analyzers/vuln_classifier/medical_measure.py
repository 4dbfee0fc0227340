"""The figures of the models of medicine, for the model card."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date

import numpy as np

from analyzers.vuln_classifier.advisories import not_medical
from analyzers.vuln_classifier.evaluation import average_precision, macro_f1
from analyzers.vuln_classifier.experiment import Table
from analyzers.vuln_classifier.labels import Example
from analyzers.vuln_classifier.medical_data import (
    MedicalSources,
    Naming,
    Read,
    advisory_labels,
    kind_place,
    read_labels,
)
from analyzers.vuln_classifier.medical_recipe import train_medical
from analyzers.vuln_classifier.medical_tables import medical_terms, product_names
from analyzers.vuln_classifier.medical_text import ReadRecord, read
from analyzers.vuln_classifier.medicine import MedicalModel, keyword_kinds
from analyzers.vuln_classifier.training import Progress
from analyzers.vuln_classifier.vectors import Floats, Integers
from meddojo.errors import InputError

SPLIT = date(2021, 1, 1)
LATER_SPLIT = date(2023, 1, 1)


@dataclass(frozen=True)
class Sample:
    """Records published from the split on, or named by an advisory of a later year, with what is known of them.

    Attributes
    ----------
    truth
        1 medical, 0 not, -1 unclear to the reader.
    naming
        Of CVEs of medical advisories: what the record names; None for others.
    industrial
        Whether an advisory of another industry names the CVE.
    """

    cves: tuple[str, ...]
    records: tuple[ReadRecord, ...]
    published: tuple[date, ...]
    truth: Integers
    naming: tuple[Naming | None, ...]
    industrial: Integers
    kinds: Integers

    @property
    def named(self) -> Integers:
        """Whether a medical advisory names the CVE and its record something medical."""
        return np.array([each is Naming.NAMED for each in self.naming])

    @property
    def advised(self) -> Integers:
        """Whether a medical advisory names the CVE."""
        return np.array([each is not None for each in self.naming])


def medical_tables(
    examples: Sequence[Example], sources: MedicalSources, seed: int, progress: Progress
) -> Iterator[Table]:
    """Relevance on later advisories and in the wild, and the kind of device.

    Raises
    ------
    InputError
        If there are too few medical records to train on.
    """
    sample = later_sample(examples, sources)
    model = _trained(examples, sources, SPLIT, seed, progress)
    plain = _trained(examples, sources, SPLIT, seed, progress, written_down=False)
    met = with_names_met(sample, examples)
    yield advisory_table(sample, met, model, plain)
    yield wild_table(sample, model, _trained(examples, sources, LATER_SPLIT, seed, progress))
    yield not_medical_table(examples, model)
    yield kind_table(sample, met, model, plain)


def later_sample(examples: Sequence[Example], sources: MedicalSources) -> Sample:
    """Everything the models of the split have not seen."""
    medical, labels = sources.advisories.medical, read_labels()
    found: list[tuple[Example, int, Naming | None, str]] = []
    for example in examples:
        year = medical.get(example.cve)
        if year is not None and year >= SPLIT.year:
            naming, kind = advisory_labels().get(example.cve, (Naming.SILENT, "-"))
            found.append((example, 1, naming, kind))
        elif year is None and example.published >= SPLIT and example.cve not in not_medical():
            label, kind = labels.get(example.cve, (Read.OTHER, "-"))
            found.append((example, {Read.CARE: 1, Read.OTHER: 0, Read.UNCLEAR: -1}[label], None, kind))
    return Sample(
        tuple(example.cve for example, _, _, _ in found),
        tuple(read(example.record) for example, _, _, _ in found),
        tuple(example.published for example, _, _, _ in found),
        np.array([truth for _, truth, _, _ in found], dtype=np.int64),
        tuple(naming for _, _, naming, _ in found),
        np.array([example.cve in sources.advisories.industrial for example, _, _, _ in found]),
        np.array([kind_place(kind) for _, _, _, kind in found], dtype=np.int64),
    )


def with_names_met(sample: Sample, examples: Sequence[Example]) -> tuple[ReadRecord, ...]:
    """The sample's records without those names of makers and families that no record before the split has.

    Who writes names down knows the years the models are measured on; nobody could have written these ones earlier.
    """
    terms = medical_terms()
    names = terms.makers | terms.also_makers | product_names()
    earlier = (read(example.record) for example in examples if example.published < SPLIT)
    met = frozenset(name for record in earlier for name in (record.phrases | record.name_phrases) & names)
    new = names - met
    return tuple(
        replace(record, phrases=record.phrases - new, name_phrases=record.name_phrases - new)
        for record in sample.records
    )


def advisory_table(sample: Sample, met: Sequence[ReadRecord], model: MedicalModel, plain: MedicalModel) -> Table:
    """CVEs of later medical advisories against CVEs of others, and against all others."""
    advised, named, industrial = sample.advised, sample.named, sample.industrial
    others = ~advised & (sample.truth != 1)
    rows = []
    for title, chance in (
        ("any word of care or maker", keyword_score(sample.records)),
        ("linear model of words", _linear_score(model, sample.records)),
        ("no names written down", plain.relevance(sample.records)),
        ("names met before 2021", model.relevance(met)),
        ("all names", model.relevance(sample.records)),
    ):
        for name, kept in (
            ("recognisable, against industrial advisories", named | (industrial & (sample.truth != 1))),
            ("all, against industrial advisories", advised | (industrial & (sample.truth != 1))),
            ("recognisable, against all others", named | others),
            ("all, against all others", advised | others),
        ):
            rows.append((f"{title}: {name}", *_figures(chance[kept], advised[kept], model.floor)))
    counts = Counter(naming for naming in sample.naming if naming is not None)
    return Table(
        "Medical relevance: CVEs of CISA's medical advisories of 2021 and 2022",
        ("", "rows", "medical", "precision", "recall", "average precision"),
        tuple(rows),
        f"Trained on what was known before {SPLIT}. Of the {sum(counts.values())} CVEs, {counts[Naming.NAMED]} have a "
        f"record that names anything medical, {counts[Naming.GENERAL]} are flaws of general components and "
        f"{counts[Naming.SILENT]} say nothing (read by hand): the most any model could recall of all is "
        f"{counts[Naming.NAMED] / max(1, sum(counts.values())):.2f}. Threshold {model.floor}. CVEs of no medical "
        "advisory that a reader found medical are left out; they are the next table. Makers and product families were "
        "written down by somebody who had seen the titles of all advisories: the rows with names met in records before "
        "2021 are the fair ones.",
    )


def wild_table(sample: Sample, model: MedicalModel, later: MedicalModel) -> Table:
    """CVEs of no medical advisory: those told, all read by hand, and how many of those read as medical are found."""
    rows = []
    chances = {"before 2021": model.relevance(sample.records), "before 2023": later.relevance(sample.records)}
    for title, first, end, trained in (
        ("2021 and 2022", SPLIT, LATER_SPLIT, "before 2021"),
        ("2023 to June 2024", LATER_SPLIT, date.max, "before 2021"),
        ("2023 to June 2024", LATER_SPLIT, date.max, "before 2023"),
    ):
        inside = np.array([first <= day < end for day in sample.published]) & ~sample.advised
        chance = chances[trained]
        for floor in (0.5, 0.7, model.floor):
            told = inside & (chance >= floor)
            right = int((told & (sample.truth == 1)).sum())
            unclear = int((told & (sample.truth < 0)).sum())
            known = int((inside & (sample.truth == 1)).sum())
            unread = sum(sample.cves[place] not in read_labels() for place in np.flatnonzero(told))
            rows.append(
                (
                    f"{title}, trained {trained}, threshold {floor}",
                    f"{int(told.sum())}",
                    f"{right}",
                    f"{unclear}",
                    f"{unread}",
                    f"{right / max(1, int(told.sum())):.3f}",
                    f"{right / max(1, known):.3f}",
                )
            )
    return Table(
        "Medical relevance in the wild: CVEs of no medical advisory",
        ("", "told", "medical", "unclear", "not read", "precision", "recall"),
        tuple(rows),
        "Read by hand; unclear ones and those not read count as wrong. Recall is of the records that were read and "
        "found medical: those that sound of health or that a model told, so it flatters.",
    )


def not_medical_table(examples: Sequence[Example], model: MedicalModel) -> Table:
    """CVEs that were read by hand and are not medical: a random sample, and those that sound of health all the same."""
    hard = {cve for cve, (found, _) in read_labels().items() if found is Read.OTHER}
    rows = []
    for title, chosen in (("random", not_medical()), ("hard: sound of health, or were once told", hard)):
        records = [read(example.record) for example in examples if example.cve in chosen]
        chance = model.relevance(records)
        told = f"{int((chance >= model.floor).sum())}", f"{int((chance >= 0.5).sum())}"
        rows.append((title, f"{len(records)}", *told))
    return Table("Read by hand and not medical", ("", "records", f"told at {model.floor}", "told at 0.5"), tuple(rows))


def kind_table(sample: Sample, met: Sequence[ReadRecord], model: MedicalModel, plain: MedicalModel) -> Table:
    """The kind of device, beside the commonest kind of the training period and the rule that counts words."""
    majority = int(model.kinds.shares.argmax())
    rows = []
    for title, kept in (
        ("advisories of 2021 and 2022", sample.advised & (sample.kinds >= 0)),
        ("read by hand, 2021 to June 2024", ~sample.advised & (sample.kinds >= 0)),
    ):
        records, earlier = ([each[place] for place in np.flatnonzero(kept).tolist()] for each in (sample.records, met))
        truth = sample.kinds[kept]
        number = len(model.kinds.names)
        most = np.full(len(truth), majority)
        rows.append((f"{title}: commonest kind", *_kind_figures(most, np.ones(len(truth)), truth, number, 0.0)))
        rule = keyword_kinds(records)
        rows.append((f"{title}: most words", *_kind_figures(rule, (rule >= 0) * 1.0, truth, number, 0.5)))
        for name, found in (
            ("no names written down", plain.kinds(records)),
            ("names met before 2021", model.kinds(earlier)),
            ("all names", model.kinds(records)),
        ):
            figures = _kind_figures(found.argmax(axis=1), found.max(axis=1), truth, number, model.kind_floor)
            rows.append((f"{title}: {name}", *figures))
    return Table(
        "Kind of device",
        ("", "records", "accuracy", "macro-F1", "share answered", "accuracy of those"),
        tuple(rows),
        f"{len(model.kinds.names)} kinds, labelled by hand. Trained on what was known before {SPLIT}; answered from a "
        f"probability of {model.kind_floor} on. Product families and makers were written down by somebody who had "
        "seen the titles of all advisories: the row with names met before 2021 is the fair one. In the wild two thirds "
        "are management and record systems.",
    )


def keyword_score(records: Sequence[ReadRecord]) -> Floats:
    """1 for a record with any word of care or maker, 0 for the rest."""
    terms = medical_terms()
    words = terms.strong | terms.makers
    return np.array([float(not (each.phrases | each.name_phrases).isdisjoint(words)) for each in records])


def _linear_score(model: MedicalModel, records: Sequence[ReadRecord]) -> Floats:
    relevance = model.relevance
    odds = relevance.linear(relevance.vocabulary.weighted([each.terms() for each in records]))[:, 1]
    result: Floats = 1.0 / (1.0 + np.exp(-odds))
    return result


def _trained(
    examples: Sequence[Example],
    sources: MedicalSources,
    end: date,
    seed: int,
    progress: Progress,
    *,
    written_down: bool = True,
) -> MedicalModel:
    model = train_medical(examples, sources, end, seed, progress, written_down=written_down)
    if model is None:
        raise InputError("the training data", "", "holds too few medical records to measure", "use --no-measure")
    return model


def _figures(chance: Floats, medical: Integers, floor: float) -> tuple[str, ...]:
    told = chance >= floor
    hits = int((told & medical).sum())
    return (
        f"{len(chance):,}",
        f"{int(medical.sum())}",
        f"{hits / max(1, int(told.sum())):.3f}",
        f"{hits / max(1, int(medical.sum())):.3f}",
        f"{average_precision(chance, medical.astype(np.int64)):.3f}",
    )


def _kind_figures(found: Integers, sure: Floats, truth: Integers, number: int, floor: float) -> tuple[str, ...]:
    told = sure >= floor
    right = found == truth
    places = np.where(found >= 0, found, number).astype(np.int64)
    return (
        f"{len(truth)}",
        f"{right.mean():.3f}",
        f"{macro_f1(places, truth, number):.3f}",
        f"{told.mean():.3f}",
        f"{right[told].mean():.3f}" if told.any() else "",
    )
