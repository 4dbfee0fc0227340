"""Does a record concern a medical device or software used in care, and what kind: the models of medicine.

They read the record's own words and the tables beside this module, nothing of the CVSS models, so that they can be
trained, shipped and measured alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from analyzers.vuln_classifier.boosting import probabilities
from analyzers.vuln_classifier.calibration import softmax
from analyzers.vuln_classifier.linear import LinearModel
from analyzers.vuln_classifier.medical_tables import device_types
from analyzers.vuln_classifier.medical_text import COLUMNS, WRITTEN_DOWN, ReadRecord, read, signs, telling_phrases
from analyzers.vuln_classifier.record import PublishedRecord
from analyzers.vuln_classifier.text import Vocabulary
from analyzers.vuln_classifier.vectors import Floats, Integers

if TYPE_CHECKING:
    import xgboost

TELLING = 3
_SMALLEST = 1e-6
_SUREST = 0.99


@dataclass(frozen=True)
class Relevance:
    """How likely a record concerns medicine.

    Attributes
    ----------
    linear
        Over the vocabulary's columns; classes other, medical.
    booster
        Over what `relevance_inputs` gives.
    temperature, offset
        Of the log-odds, fitted on records the models had not seen.
    written_down
        Whether the makers and product families written down by hand are looked at; False for an ablation.
    """

    vocabulary: Vocabulary
    linear: LinearModel
    booster: xgboost.Booster
    temperature: float
    offset: float
    written_down: bool = True

    def __call__(self, records: Sequence[ReadRecord]) -> Floats:
        """Probability of each record, shape (records,)."""
        terms = self.vocabulary.weighted([record.terms() for record in records])
        raw = log_odds(
            probabilities(self.booster, relevance_inputs(self.linear(terms), records, self.written_down))[:, 1]
        )
        return calibrated(raw, self.temperature, self.offset)


@dataclass(frozen=True)
class TypeModel:
    """Which kind of device: one model over pairs of a record and a kind, so that kinds share what they have in common.

    Attributes
    ----------
    names
        Of the kinds, in the order of all arrays.
    devices
        Log-odds of words of FDA's device names for each kind, shape (columns of `device_vocabulary`, kinds).
    shares
        Of each kind among the training records.
    """

    names: tuple[str, ...]
    vocabulary: Vocabulary
    linear: LinearModel
    device_vocabulary: Vocabulary
    devices: Floats
    shares: Floats
    booster: xgboost.Booster
    temperature: float
    written_down: bool = True

    def __call__(self, records: Sequence[ReadRecord]) -> Floats:
        """Probability of each kind, shape (records, kinds)."""
        linear = self.linear(self.vocabulary.weighted([each.terms() for each in records]))
        devices = device_odds(records, self.device_vocabulary, self.devices)
        pairs = pair_inputs(records, linear, devices, self.shares, self.written_down)
        raw = log_odds(probabilities(self.booster, pairs)[:, 1]).reshape(-1, len(self.names))
        return softmax(self.temperature * raw)


@dataclass(frozen=True)
class MedicalJudgement:
    """What is known of one record.

    Attributes
    ----------
    probability
        That it concerns a medical device or software used in care.
    kind
        Kind of device; empty where the model abstains.
    because
        Words of the record that speak for medicine.
    """

    probability: float
    kind: str
    kind_probability: float
    because: tuple[str, ...]


@dataclass(frozen=True)
class MedicalModel:
    """Both models with the probabilities from which on they speak.

    Attributes
    ----------
    floor
        Of relevance.
    kind_floor
        Of the kind.
    """

    version: str
    relevance: Relevance
    kinds: TypeModel
    floor: float
    kind_floor: float

    def judge(self, records: Sequence[PublishedRecord]) -> list[MedicalJudgement]:
        """One for each record."""
        known = [read(record) for record in records]
        if not known:
            return []
        chances = self.relevance(known)
        told = [row for row, chance in enumerate(chances.tolist()) if chance >= self.floor]
        found = self.kinds([known[row] for row in told]) if told else np.zeros((0, len(self.kinds.names)))
        kinds = dict(zip(told, found, strict=True))
        return [
            self._judgement(float(chance), record, kinds.get(row))
            for row, (chance, record) in enumerate(zip(chances, known, strict=True))
        ]

    def _judgement(self, chance: float, record: ReadRecord, kinds: Floats | None) -> MedicalJudgement:
        if kinds is None:
            return MedicalJudgement(chance, "", 0.0, ())
        best = int(kinds.argmax())
        sure = float(kinds[best])
        kind = self.kinds.names[best] if sure >= self.kind_floor else ""
        row = device_types()[best]
        return MedicalJudgement(
            chance, kind, sure, telling_phrases(record, row.words | row.names if kind else frozenset())[:TELLING]
        )


def relevance_inputs(linear: Floats, records: Sequence[ReadRecord], written_down: bool = True) -> Floats:
    """What the trees read: the linear log-odds of medicine, and the signs."""
    told = signs(records)
    if not written_down:
        told[:, [column in WRITTEN_DOWN for column in COLUMNS]] = 0.0
    return np.hstack([linear[:, 1:], told]).astype(np.float32)


def device_odds(records: Sequence[ReadRecord], vocabulary: Vocabulary, odds: Floats) -> Floats:
    """Sum of the log-odds of the device words each record has, shape (records, kinds)."""
    present = vocabulary.present([{*each.text, *each.names} for each in records], 1.0)
    result: Floats = np.asarray(present @ odds)
    return result


def pair_inputs(
    records: Sequence[ReadRecord], linear: Floats, devices: Floats, shares: Floats, written_down: bool = True
) -> Floats:
    """What the trees read of a record and a kind, beside the best other kind of the record where that tells.

    Returns
    -------
    numpy.ndarray
        Shape (records * kinds, inputs).
    """
    kinds = device_types()
    text = _hits([each.phrases for each in records], [kind.words for kind in kinds])
    names = _hits([each.name_phrases for each in records], [kind.words for kind in kinds])
    known = _hits([each.phrases | each.name_phrases for each in records], [kind.names for kind in kinds])
    known = known if written_down else np.zeros_like(known)
    frequent = np.broadcast_to(np.log(shares + 0.01), linear.shape)
    columns = [
        linear,
        _lead(linear),
        text,
        _lead(text),
        names,
        _lead(names),
        known,
        _lead(known),
        devices,
        _lead(devices),
        frequent,
    ]
    return np.stack([column.ravel() for column in columns], axis=1).astype(np.float32)


def log_odds(chances: Floats) -> Floats:
    """``ln(p / (1 - p))``."""
    kept = np.clip(chances.astype(np.float64), _SMALLEST, 1.0 - _SMALLEST)
    result: Floats = np.log(kept / (1.0 - kept))
    return result


def calibrated(odds: Floats, temperature: float, offset: float) -> Floats:
    """Probability of log-odds after a temperature and an offset."""
    result: Floats = 1.0 / (1.0 + np.exp(-(temperature * odds + offset)))
    return result


def keyword_kinds(records: Sequence[ReadRecord]) -> Integers:
    """The plain rule: the kind most of whose words a record has, -1 for none; shape (records,)."""
    rows = [kind.words for kind in device_types()]
    found = _hits([each.phrases for each in records], rows) + _hits([each.name_phrases for each in records], rows)
    return np.where(found.max(axis=1) > 0.0, found.argmax(axis=1), -1)


def _hits(phrases: Sequence[frozenset[str]], kinds: Sequence[frozenset[str]]) -> Floats:
    """How many words each kind's phrases in a record have together; shape (records, kinds)."""
    return np.array(
        [[sum(1.0 + phrase.count(" ") for phrase in each & kind) for kind in kinds] for each in phrases],
        dtype=np.float32,
    ).reshape(-1, len(kinds))


def _lead(values: Floats) -> Floats:
    """How far each kind is ahead of the best other one."""
    ordered = np.sort(values, axis=1)
    best, second = ordered[:, -1:], ordered[:, -2:-1]
    result: Floats = np.where(values == best, values - second, values - best)
    return result


def remark(judgement: MedicalJudgement) -> str:
    """A line of the finding."""
    kind = f"{judgement.kind} ({_written(judgement.kind_probability)})" if judgement.kind else "kind unclear"
    because = ", because of " + ", ".join(f'"{word}"' for word in judgement.because) if judgement.because else ""
    chance = _written(judgement.probability)
    return f"looks like a medical device or software used in care ({chance}): {kind}{because}"


def _written(probability: float) -> str:
    """Two digits, and never certainty."""
    return f"{probability:.2f}" if probability < _SUREST else f"over {_SUREST}"
