"""How sure a network is, and what moved it: ``meddojo imaging uncertainty`` and ``explain``."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from meddojo.errors import ConfigError, InputError
from scheduler.commands.imaging.group import DataOption, RunArgument, RunsArgument, SeedOption, group, needs_tensorflow
from scheduler.session import JsonOption, QuietOption, VerboseOption, errors_told

if TYPE_CHECKING:
    from imaging.data.cases import Case
    from imaging.uncertainty.files import Fitted
    from imaging.uncertainty.groups import Group
    from imaging.uncertainty.measurement import Result


class RegionName(StrEnum):
    """Names of `imaging.uncertainty.regions.Region`."""

    WHOLE = "whole"
    NEAR = "near"


class ScoreName(StrEnum):
    """Names of `imaging.uncertainty.review.Score`."""

    EXPECTED_LOSS = "expected_loss"
    ENTROPY = "entropy"
    DISAGREEMENT = "disagreement"


@group.command(
    epilog=(
        "Example: `meddojo imaging uncertainty run1 run2 --data cases --out doubt`  ·  of a cross-validation, for the "
        "network of all patients: `meddojo imaging uncertainty runs --final model --data cases --out doubt`"
    )
)
def uncertainty(
    runs: RunsArgument,
    data: DataOption,
    out: Annotated[Path, typer.Option("--out", help="New folder of the figures and uncertainty.json")],
    final: Annotated[
        list[Path] | None,
        typer.Option(
            "--final",
            help="Run of the same settings on all patients: gets what all folds together say; once for each member",
            exists=True,
            file_okay=False,
        ),
    ] = None,
    region: Annotated[
        RegionName,
        typer.Option("--region", help="Fit calibration on all voxels, or within 10 mm of a lesion's surface"),
    ] = RegionName.NEAR,
    score: Annotated[ScoreName, typer.Option("--score", help="By which cases are flagged")] = ScoreName.EXPECTED_LOSS,
    share: Annotated[float, typer.Option("--share", min=0.01, max=0.9, help="Of the cases that are flagged")] = 0.1,
    bound: Annotated[float, typer.Option("--bound", min=0.0, max=1.0, help="A Dice below is an error")] = 0.6,
    passes: Annotated[int, typer.Option("--passes", min=2, max=1000, help="Of Monte Carlo dropout")] = 30,
    pictures: Annotated[int, typer.Option("--pictures", min=0, help="Pictures of the least sure cases")] = 4,
    seed: SeedOption = 1,
    as_json: JsonOption = False,
    verbose: VerboseOption = 0,
    quiet: QuietOption = False,
) -> None:
    """Calibrate on the validation patients, and measure on the test patients what is unsure and what is flagged.

    Runs with the same test patients are an ensemble; the folds of a cross-validation are put together, and calibrated
    on each other's test patients where nobody was set aside. Of networks without test patients the calibration is
    fitted and kept, and nothing is measured.
    """
    from scheduler.console import Console

    console = Console(-1 if quiet else verbose)
    with errors_told(console):
        _needs_both()
        from imaging.data.cases import read_cases
        from imaging.uncertainty.groups import read_groups
        from imaging.uncertainty.measurement import Settings, fit_all, measure, steps
        from imaging.uncertainty.regions import Region
        from imaging.uncertainty.review import Score

        settings = Settings(Region(region.value), Score(score.value), share, bound, passes, seed)
        cases = list(read_cases(data))
        groups = read_groups(runs, data, cases)
        lasting = read_groups(final, data, cases) if final else ()
        if len(lasting) > 1:
            raise ConfigError("--final names networks of several folds", "name those of one training with --folds 1")
        _begin(out)
        if not any(group.test for group in groups):
            with console.track("cases", steps(groups)) as advance:
                fitted = fit_all(groups, settings, advance)
            plain = json.dumps({each.method.value: each.model_dump(mode="json") for each in fitted}, indent=1)
            (out / "uncertainty.json").write_text(plain + "\n", "utf-8")
            typer.echo(plain if as_json else "\n".join(_fitted_lines(fitted)))
            return
        with console.track("cases", steps(groups)) as advance:
            results = measure(groups, settings, advance, *lasting)
        _draw(out, groups, results, pictures)
        plain = json.dumps({each.method.value: each.as_dict() for each in results}, indent=1)
        (out / "uncertainty.json").write_text(plain + "\n", "utf-8")
        typer.echo(plain if as_json else "\n".join(_table(results)))


@group.command(epilog="Example: `meddojo imaging explain run --data cases --case SYN_0003 --out picture.png`")
def explain(
    run: RunArgument,
    data: DataOption,
    case: Annotated[str, typer.Option("--case", help="Name of the case in the index")],
    out: Annotated[Path, typer.Option("--out", help="Picture to write (PNG)")],
    layer: Annotated[str, typer.Option("--layer", help="Whose features are weighed; the bottleneck if absent")] = "",
    verbose: VerboseOption = 0,
    quiet: QuietOption = False,
) -> None:
    """Draw where in a case the features of a layer speak for what was segmented (Grad-CAM)."""
    from scheduler.console import Console

    console = Console(-1 if quiet else verbose)
    with errors_told(console):
        _needs_both()
        from imaging.data.cases import read_cases
        from imaging.explanation.grad_cam import explain as heat_of
        from imaging.networks.files import load
        from imaging.segmentation.outline import load_outline
        from imaging.segmentation.prediction import predict
        from imaging.uncertainty.figures import case_panel

        found = next((each for each in read_cases(data) if each.name == case), None)
        if found is None:
            raise InputError(str(data), case, "is no case of the index")
        config, network = load(run)
        mask = load_outline(run)(predict(network, config, found))
        try:
            heat = heat_of(network, config, found, layer or None)
        except ValueError as error:
            raise ConfigError(f"nothing to explain: {error}", "name another layer with --layer") from error
        if not mask.any():
            console.warn(f"{case}: nothing was segmented, so that there is nothing to explain")
        out.parent.mkdir(parents=True, exist_ok=True)
        case_panel(out, found, mask, heat)
        typer.echo(f"{out}: {case}, {int(mask.sum()) * found.voxel_ml:.1f} ml segmented")


def _needs_both() -> None:
    from importlib.util import find_spec

    needs_tensorflow()
    if find_spec("matplotlib") is None:
        raise ConfigError("figures need matplotlib, which is not here", "install it: pip install 'meddojo[imaging]'")


def _begin(out: Path) -> None:
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise ConfigError(f"{out} is not empty", "name a new folder with --out")
    out.mkdir(parents=True, exist_ok=True)


def _draw(out: Path, groups: Sequence[Group], results: Sequence[Result], pictures: int) -> None:
    from imaging.explanation.grad_cam import explain as heat_of
    from imaging.uncertainty.figures import case_panel, reliability_diagram, risk_coverage_curve

    for result in results:
        reliability_diagram(out / f"reliability-{result.method.value}.png", result.before, result.after)
        scores = {name: [case.scores[name] for case in result.cases] for name in result.cases[0].scores}
        risk_coverage_curve(
            out / f"risk-coverage-{result.method.value}.png", scores, [case.dice for case in result.cases]
        )
    last = results[-1]
    places: dict[str, tuple[Group, Fitted, Case]] = {
        case.name: (each, fitted, case) for each, fitted in zip(groups, last.fitted, strict=True) for case in each.test
    }
    for judged in last.least_sure[:pictures]:
        where, fitted, case = places[judged.name]
        maps = where.maps(last.method, case, fitted.passes, fitted.seed)
        config, network = where.members[0]
        title = f"{case.name} ({last.method.value.replace('_', ' ')}, Dice {judged.dice:.2f})"
        case_panel(
            out / f"case-{case.name}.png",
            case,
            where.outline(last.method)(maps.mean),
            heat_of(network, config, case),
            maps.predictive_entropy,
            title,
        )


def _table(results: Sequence[Result]) -> Iterator[str]:
    yield f"{'method':<13}{'cases':>6}{'Dice':>7}{'missed':>8}   ECE before -> after, by region"
    for result in results:
        errors = "   ".join(
            f"{name} {result.before[name].expected_error:.3f} -> {result.after[name].expected_error:.3f}"
            for name in result.before
        )
        missed = sum(case.missed for case in result.cases)
        yield f"{result.method.value:<13}{len(result.cases):6d}{result.mean_dice:7.3f}{missed:8d}   {errors}"
    yield ""
    yield (
        f"{'method':<13}{'score':<15}{'flagged':>8}{'errors caught':>15}{'missing Dice':>14}"
        f"{'Spearman':>10}{'p':>8}{'AUROC':>8}"
    )
    for result in results:
        for name, each in result.reviews.items():
            yield (
                f"{result.method.value:<13}{name:<15}{each.flagged:5d}/{each.cases:<2d}"
                f"{_of(each.errors_caught, each.errors):>15}{_share(each.missing_caught):>14}"
                f"{_number(each.correlation):>10}{_number(each.p_value, 4):>8}{_number(each.auroc):>8}"
            )
        first = next(iter(result.reviews.values()))
        yield (
            f"{'':<13}{'best order':<15}{'':>8}{_of(first.perfect_errors, first.errors):>15}"
            f"{_share(first.perfect_missing):>14}; any order catches {first.chance:.0%} in the mean"
        )
    last = results[-1]
    yield ""
    yield f"{last.method.value}, flagged by {last.fitted[0].score.value} (threshold of the validation patients)"
    for case in last.least_sure:
        yield f"{case.name:<16}Dice {case.dice:.3f}  {'REVIEW' if case.flag.raised else '':<7} {case.flag.reason}"


def _of(part: float | None, count: int) -> str:
    return "no error" if part is None else f"{part * count:.2g} of {count}"


def _share(value: Any) -> str:
    return "-" if value is None else f"{value:.0%}"


def _number(value: float | None, digits: int = 2) -> str:
    return "-" if value is None else f"{value:.{digits}f}"


def _fitted_lines(fitted: Sequence[Fitted]) -> Iterator[str]:
    for each in fitted:
        kept = f"{each.method.value}: calibration {each.kind.value}, scale {each.scale:.3f}, bias {each.bias:+.3f}"
        yield f"{kept}, fitted on {each.patients} patients; no test patients, nothing was measured"
