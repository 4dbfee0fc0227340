"""Whether a model can be trusted: ``meddojo imaging sign``, ``verify``, ``reference`` and ``inspect``."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from meddojo.errors import ConfigError
from scheduler.commands.imaging.group import DataOption, SeedOption, group, needs_tensorflow
from scheduler.session import ConfigOption, JsonOption, QuietOption, VerboseOption, errors_told, open_session

if TYPE_CHECKING:
    from meddojo.device import Device
    from meddojo.imaging_model import Figure, FileCheck
    from scheduler.imaging_models import Request
    from scheduler.session import Session

ModelArgument = Annotated[Path, typer.Argument(help="Folder of the model", exists=True, file_okay=False)]
TrustedOption = Annotated[
    list[Path] | None,
    typer.Option("--trusted", metavar="CERT", help="OpenPGP certificate of those who may sign; may be repeated"),
]


@group.command(
    epilog="Example: `meddojo imaging sign model --key maker.key --name petct --version 1.0 --least-dice 0.7`"
)
def sign(
    model: ModelArgument,
    key: Annotated[
        Path | None, typer.Option("--key", metavar="FILE", help="OpenPGP secret key; without it, a manifest alone")
    ] = None,
    name: Annotated[str, typer.Option("--name", help="What the model is called")] = "",
    version: Annotated[str, typer.Option("--version", help="Its version")] = "",
    least_dice: Annotated[float | None, typer.Option(min=0, max=1, help="Least mean Dice that is declared")] = None,
    greatest_ece: Annotated[float | None, typer.Option(min=0, max=1, help="Greatest calibration error")] = None,
    greatest_int8_difference: Annotated[
        float | None, typer.Option(min=0, max=1, help="Greatest mean difference of the INT8 version")
    ] = None,
    greatest_drift: Annotated[
        float | None, typer.Option(min=0, max=1, help="Greatest distance of incoming images")
    ] = None,
    verbose: VerboseOption = 0,
    quiet: QuietOption = False,
) -> None:
    """Write the SHA-256 of every file into a manifest, with the bounds the model is declared to keep, and sign it.

    A key is made with `meddojo bundle keygen`.
    """
    from scheduler.console import Console

    console = Console(-1 if quiet else verbose)
    with errors_told(console):
        from imaging.networks.seal import declared, sealed_bounds, write_seal
        from meddojo.imaging_model import Bounds

        given = declared(Bounds(least_dice, greatest_ece, greatest_int8_difference, greatest_drift))
        about = {key_: value for key_, value in (("model", name), ("version", version)) if value}
        bounds = {**declared(sealed_bounds(model)), **given}
        files = write_seal(model, {**about, **({"bounds": bounds} if bounds else {})}, key)
        typer.echo(f"{model}: {len(files)} files, {'signed' if key else 'not signed'}")


@group.command(epilog="Example: `meddojo imaging verify model --trusted maker.pub`")
def verify(
    model: ModelArgument,
    trusted: TrustedOption = None,
    as_json: JsonOption = False,
    verbose: VerboseOption = 0,
    quiet: QuietOption = False,
) -> None:
    """Look at every file of a model: manifest, signature, unsafe formats. Exit code 1 if anything is wrong."""
    from scheduler.console import Console

    console = Console(-1 if quiet else verbose)
    with errors_told(console):
        from datetime import UTC, datetime

        from imaging.inspection.files import check_files

        check = check_files(model, trusted or [], datetime.now(UTC))
        _print(check, (), as_json)
    if not _fine(check, bool(trusted)):
        raise typer.Exit(1)


@group.command(epilog="Example: `meddojo imaging reference model --data cases`")
def reference(
    model: ModelArgument,
    data: DataOption,
    verbose: VerboseOption = 0,
    quiet: QuietOption = False,
) -> None:
    """Keep a few numbers of the training cases beside a model, to tell later whether images still look like them."""
    from scheduler.console import Console

    console = Console(-1 if quiet else verbose)
    with errors_told(console):
        from imaging.data.cases import read_cases
        from imaging.inspection.drift import REFERENCE, describe, write_reference
        from meddojo.model_files import MANIFEST

        with console.track("cases") as advance:
            found = describe(read_cases(data), advance)
        write_reference(model, found)
        if (model / MANIFEST).exists():
            console.warn("the model's manifest has to be made again: meddojo imaging sign")
        typer.echo(f"{model / REFERENCE}: {len(found.features)} numbers of each of {found.cases} cases")


@group.command(
    epilog="Example: `meddojo imaging inspect --device petct-1 --model model --reference cases --incoming today`"
)
def inspect(
    model: Annotated[Path, typer.Option("--model", help="Folder of the model", exists=True, file_okay=False)],
    device: Annotated[
        str, typer.Option("--device", help="Device of the inventory whose model it is; without it, nothing is kept")
    ] = "",
    reference_set: Annotated[
        Path | None,
        typer.Option("--reference", help="Folder of cases with their truth, new to the model", exists=True),
    ] = None,
    incoming: Annotated[
        Path | None, typer.Option("--incoming", help="Folder of cases as they come in now", exists=True)
    ] = None,
    trusted: TrustedOption = None,
    int8: Annotated[str, typer.Option("--int8", metavar="NAME", help="The model's INT8 file, if it has several")] = "",
    seed: SeedOption = 1,
    config: ConfigOption = None,
    as_json: JsonOption = False,
    verbose: VerboseOption = 0,
    quiet: QuietOption = False,
) -> None:
    """Look at a model's files and measure it; with --device, the next run judges what was found.

    What cannot be measured this time keeps the figure it had.
    """
    from scheduler.imaging_models import Request
    from scheduler.imaging_models import inspect as look

    request = Request(model, tuple(trusted or ()), reference_set, incoming, int8, seed)
    if not device:
        from scheduler.console import Console

        console = Console(-1 if quiet else verbose)
        with errors_told(console):
            _needed(request)
            _print(*look(request, console), as_json)
        return
    with open_session(config, verbose, quiet) as session, session.store.lock("run"):
        _needed(request)
        chosen = _device(session, device)
        if not trusted and chosen.imaging_model_key:
            request = replace(request, trusted=(Path(chosen.imaging_model_key),))
        _print(*look(request, session.console, session.store.imaging_models, chosen.id), as_json)


def _needed(request: Request) -> None:
    """Say what is missing before anything is done."""
    if request.reference:
        needs_tensorflow()
    if request.incoming and not (request.folder / "reference.json").exists():
        raise ConfigError(
            f"{request.folder} has no reference.json: nothing is known of its training images",
            "make it of them: meddojo imaging reference MODEL --data CASES",
        )


def _device(session: Session, name: str) -> Device:
    from connectors.inventory import read_inventory
    from scheduler.pipeline import find_device

    return find_device(read_inventory(Path(session.config.inventory.file)).devices, name)


def _print(check: FileCheck, measured: Sequence[Figure], as_json: bool) -> None:
    from scheduler.imaging_models import lines

    if as_json:
        typer.echo(json.dumps({**asdict(check), "figures": [asdict(each) for each in measured]}, default=str, indent=1))
    else:
        typer.echo("\n".join(lines(check, measured)))


def _fine(check: FileCheck, signature_asked: bool) -> bool:
    from meddojo.imaging_model import ManifestState, SignatureState

    signed = check.signature is SignatureState.TRUSTED if signature_asked else True
    return check.manifest is ManifestState.INTACT and signed and not check.unsafe and not check.not_looked_at
