"""What a model is and does, for people: ``meddojo imaging demo`` and ``card``."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from meddojo.errors import InputError
from scheduler.commands.imaging.group import group, needs_tensorflow
from scheduler.session import JsonOption, QuietOption, VerboseOption, errors_told

_MAX_FIGURE_BYTES = 64 * 2**20


def _figures(name: str, command: str) -> Any:
    return typer.Option(f"--{name}", help=f"What `{command} --json` printed", exists=True, dir_okay=False)


@group.command(epilog="Example: `meddojo imaging demo --out demo.png`")
def demo(
    out: Annotated[Path, typer.Option("--out", help="Picture to write (PNG)")] = Path("imaging-demo.png"),
    size: Annotated[int, typer.Option("--size", min=32, max=512, help="Rows and columns of a slice")] = 128,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Of the synthetic patients; the first is shown")] = 2026,
    as_json: JsonOption = False,
    verbose: VerboseOption = 0,
    quiet: QuietOption = False,
) -> None:
    """Make a synthetic PET/CT case, outline it with the shipped model, and draw what is found and how sure that is."""
    from scheduler.console import Console

    console = Console(-1 if quiet else verbose)
    with errors_told(console):
        needs_tensorflow()
        from imaging.demonstration import COMPARED, demonstrate
        from imaging.models import SYNTHETIC

        with console.track("demonstration", 4) as advance:
            shown = demonstrate(SYNTHETIC, out, size, seed, advance)
        if as_json:
            typer.echo(json.dumps(asdict(shown) | {"picture": str(out)}, indent=1))
            return
        volume = sum(each.volume_ml for each in shown.lesions)
        typer.echo(f"lesions: {len(shown.lesions)} of {volume:.1f} ml together, Dice {shown.dice:.3f} with the truth")
        typer.echo(f"doubt: predictive entropy of {shown.unsure:.3f} nats within the outline, 0.693 at most")
        typer.echo(
            f"risk: log-hazard {shown.log_hazard:+.2f} ({shown.low:+.2f} to {shown.high:+.2f}) beside the median of "
            f"{COMPARED} others, higher than {shown.higher_than:.0%} of them; drawn with {shown.true_log_hazard:+.2f}"
        )
        typer.echo(f"picture: {out}")


@group.command(
    epilog="Example: `meddojo imaging card model --name petct --about 'Outlines lesions.' --evaluation evaluation.json`"
)
def card(
    model: Annotated[Path, typer.Argument(help="A run, or a folder of runs", exists=True, file_okay=False)],
    name: Annotated[str, typer.Option("--name", help="What the model is called")],
    about: Annotated[list[str] | None, typer.Option("--about", help="A sentence on what it is; repeatable")] = None,
    limit: Annotated[list[str] | None, typer.Option("--limit", help="A sentence on what it is not; repeatable")] = None,
    measured_on: Annotated[str, typer.Option("--measured-on", help="A sentence on what the figures are of")] = "",
    evaluation: Annotated[Path | None, _figures("evaluation", "meddojo imaging evaluate")] = None,
    uncertainty: Annotated[Path | None, _figures("uncertainty", "meddojo imaging uncertainty")] = None,
    compression: Annotated[Path | None, _figures("compression", "meddojo imaging benchmark")] = None,
    survival: Annotated[Path | None, _figures("survival", "meddojo imaging survival")] = None,
    verbose: VerboseOption = 0,
    quiet: QuietOption = False,
) -> None:
    """Write MODEL_CARD.md: the networks of a folder, and figures that other commands measured."""
    from scheduler.console import Console

    console = Console(-1 if quiet else verbose)
    with errors_told(console):
        from imaging.card import FILE, Measured
        from imaging.card import card as written

        figures = Measured(measured_on, *map(_read, (evaluation, uncertainty, compression, survival)))
        try:
            text = written(model, name, about or (), limit or (), figures)
        except (KeyError, TypeError, AttributeError) as error:
            cause = f"the figures are not those a command printed with --json: {error!r}"
            raise InputError(str(model), FILE, cause, "run the commands again") from error
        (model / FILE).write_text(text, "utf-8")
        typer.echo(f"{model / FILE}: {len(text.splitlines())} lines")


def _read(path: Path | None) -> Any:
    from imaging.networks.files import read_whole

    if path is None:
        return None
    try:
        return json.loads(read_whole(path, _MAX_FIGURE_BYTES))
    except (ValueError, RecursionError) as error:
        raise InputError(str(path), "", f"is no JSON: {error}", "give what the command printed with --json") from error
