"""Vocabularies and trees as files of a model (`meddojo.model_files`)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from analyzers.vuln_classifier.text import Vocabulary

if TYPE_CHECKING:
    import xgboost


def write_terms(vocabulary: Vocabulary) -> bytes:
    """A line for each term with its weight."""
    pairs = zip(vocabulary.terms, vocabulary.idf.tolist(), strict=True)
    return "".join(f"{term}\t{idf:.4f}\n" for term, idf in pairs).encode()


def read_terms(content: bytes) -> Vocabulary:
    """What `write_terms` wrote."""
    cells = content.decode().replace("\n", "\t").split("\t")[:-1]  # no term holds either; faster than by lines
    return Vocabulary(tuple(cells[::2]), np.array(cells[1::2], dtype=np.float32))


def read_booster(content: bytes) -> xgboost.Booster:
    """Trees from UBJSON."""
    import xgboost

    booster = xgboost.Booster()
    booster.load_model(bytearray(content))
    booster.set_param({"nthread": 1})
    return booster


def booster_file(name: str) -> str:
    """Name of the file of a target's trees."""
    return f"{name.replace(' ', '_')}.ubj"
