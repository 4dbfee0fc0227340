"""The comparison on an invented world: nobody sees the label it is asked for, and what is better wins."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pytest

from analyzers.sbom_graph.forecast import experiment, tables
from analyzers.sbom_graph.forecast.experiment import Contender, contenders, fitted, out_of_fold, united
from analyzers.sbom_graph.forecast.features import PLAIN, columns
from analyzers.sbom_graph.forecast.figures import average_precision, mean
from analyzers.sbom_graph.forecast.graph import Floats, Graph, Integers
from analyzers.sbom_graph.forecast.models import Column, Model, fit_trees
from analyzers.sbom_graph.forecast.snapshot import Snapshot
from analyzers.sbom_graph.forecast.training import Comparison, best, platt

SILENT = [].append


def _no_network(
    graph: Graph, inputs: Floats, labels: Integers, counted: Floats, settings: Mapping[str, Any], seed: int
) -> Sequence[Floats]:
    raise AssertionError("asked for a network")


def _without_network() -> list[Contender]:
    return [each for each in contenders(_no_network) if each.name != experiment.NETWORK]


def test_no_model_sees_a_label_it_is_scored_on(year: Snapshot) -> None:
    seen: list[set[int]] = []

    def fit(snapshot: Snapshot, counted: Floats, settings: Mapping[str, Any], seed: int) -> Model:
        seen.append(set(np.flatnonzero(counted).tolist()))
        return Column("CVEs ever")

    out_of_fold(Contender("spy", fit), year, {})
    unseen = [set(range(len(year.names))) - each for each in seen]
    assert len(seen) == experiment.FOLDS and all(unseen)
    assert sorted(place for each in unseen for place in each) == list(range(len(year.names)))


def test_every_contender_learns_and_beats_chance_on_the_later_year(year: Snapshot, later: Snapshot) -> None:
    pytest.importorskip("sklearn")
    models = [fitted(each, year, (1,), SILENT) for each in _without_network()]
    figures = {each.name: mean(average_precision, each.rankings(later)) for each in models}
    assert len(figures) == 10
    assert all(figure > later.labels.mean() * 1.2 for figure in figures.values()), figures
    assert figures["logistic regression, with position"] > figures["dependents"]
    winner = best(Comparison(tuple(models), ()), later)
    learnt = [figure for name, figure in figures.items() if "history" in name or "with" in name]
    assert len(learnt) == 6 and figures[winner.name] == max(learnt)


def test_settings_are_chosen_by_the_training_year_alone(year: Snapshot) -> None:
    def fit(snapshot: Snapshot, counted: Floats, settings: Mapping[str, Any], seed: int) -> Model:
        return Column(settings["column"])

    contender = Contender("columns", fit, ({"column": "name: inert"}, {"column": "CVEs ever"}))
    assert fitted(contender, year, (1, 2), SILENT).chosen == {"column": "CVEs ever"}
    assert len(fitted(contender, year, (1, 2), SILENT).models) == 1, "without chance one is enough"


def test_two_years_side_by_side_share_no_edge(year: Snapshot, later: Snapshot) -> None:
    both = united([year, later])
    size = len(year.names)
    assert both.graph.needs[:size, size:].nnz == both.graph.needs[size:, :size].nnz == 0
    assert both.graph.needs.nnz == year.graph.needs.nnz + later.graph.needs.nnz
    assert both.labels.tolist() == [*year.labels.tolist(), *later.labels.tolist()]


def test_platt_scaling_finds_the_scale_it_was_drawn_with() -> None:
    random = np.random.default_rng(1)
    scores = random.normal(size=20_000)
    labels = (random.random(20_000) < 1 / (1 + np.exp(-(2.0 * scores - 3.0)))).astype(np.int64)
    assert platt(scores, labels) == pytest.approx((2.0, -3.0), abs=0.15)


def test_tables_say_how_many_and_where(year: Snapshot, later: Snapshot) -> None:
    models = [fitted(each, year, (1,), SILENT) for each in _without_network()[:3]]
    name = models[0].name
    whole = tables.comparison(models, name, later, 1)
    assert [row[0] for row in whole.rows] == [each.name for each in models] and whole.rows[0][-1] == ""
    assert f"{int(later.labels.sum())} of them with a CVE" in whole.note
    grouped = tables.groups(models, later)
    assert int(grouped.rows[0][2]) + int(grouped.rows[1][2]) + int(grouped.rows[2][2]) == later.labels.sum()
    told = tables.calibration(np.full(len(later.labels), 0.05), later.labels)
    assert told.rows[0][2:] == ("5.00%", f"{later.labels.mean():.2%}")
    assert tables.markdown(tables.joins_read()).count("\n| ") == 5


@pytest.mark.parametrize("depth", [1, 2, 5])
def test_trees_walked_in_numpy_are_xgboosts(year: Snapshot, later: Snapshot, depth: int) -> None:
    import xgboost

    parameters = {"max_depth": depth, "eta": 0.1, "subsample": 0.8}
    ours = fit_trees(PLAIN, year.inputs, year.labels, {**parameters, "rounds": 30}, 7)
    fixed = {"objective": "binary:logistic", "tree_method": "hist", "nthread": 1, "seed": 7}
    matrices = [xgboost.DMatrix(each.inputs[:, columns(PLAIN)], each.labels) for each in (year, later)]
    theirs = xgboost.train({**parameters, **fixed}, matrices[0], 30)
    expected = theirs.predict(matrices[1], output_margin=True)
    assert ours.scores(later.graph, later.inputs) == pytest.approx(expected, abs=1e-5)
    assert np.ptp(expected) > 0.5
