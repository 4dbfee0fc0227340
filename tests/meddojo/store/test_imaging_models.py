"""What is known of imaging models: each part counts until a newer one replaces it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from meddojo.imaging_model import Bounds, Figure, FileCheck, ManifestState, ModelInspection, Property, SignatureState
from meddojo.store import Store

NOW = datetime(2026, 1, 1, tzinfo=UTC)
DAY = timedelta(days=1)
FILES = FileCheck(
    "petct", "1", (("weights.npz", "a" * 64),), ManifestState.INTACT, SignatureState.TRUSTED, bounds=Bounds(0.7)
)
FIGURE = Figure(Property.ACCURACY, 0.8, 20, "d" * 64, NOW, FILES.digests, 0.7, 0.9, 0.7, ("worst 0.3",))


def test_what_is_kept_comes_back(store: Store) -> None:
    assert store.imaging_models.inspections(["a"]) == {}
    assert store.imaging_models.keep_files("a", FILES, NOW)
    assert store.imaging_models.keep_figure("a", FIGURE)
    drift = replace(FIGURE, property=Property.DRIFT)
    store.imaging_models.keep_figure("a", drift)
    assert store.imaging_models.inspections(["a", "b"]) == {"a": ModelInspection(FILES, NOW, (FIGURE, drift))}


def test_the_same_files_on_another_day_are_no_change_but_looked_at_anew(store: Store) -> None:
    store.imaging_models.keep_files("a", FILES, NOW)
    assert not store.imaging_models.keep_files("a", FILES, NOW + DAY)
    assert store.imaging_models.inspections(["a"])["a"].checked == NOW + DAY
    assert store.imaging_models.keep_files("a", replace(FILES, version="2"), NOW + 2 * DAY)


def test_an_older_figure_does_not_replace_a_newer_one(store: Store) -> None:
    store.imaging_models.keep_files("a", FILES, NOW)
    store.imaging_models.keep_figure("a", FIGURE)
    assert not store.imaging_models.keep_figure("a", replace(FIGURE, value=0.1, measured=NOW - DAY))
    assert store.imaging_models.inspections(["a"])["a"].figures == (FIGURE,)
    newer = replace(FIGURE, value=0.6, measured=NOW + DAY)
    assert store.imaging_models.keep_figure("a", newer)
    assert store.imaging_models.inspections(["a"])["a"].figures == (newer,)
