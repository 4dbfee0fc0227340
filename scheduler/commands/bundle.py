"""``meddojo bundle``: feeds for a network without internet."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from scheduler.session import ConfigOption, QuietOption, VerboseOption, errors_told, open_session

FileArgument = Annotated[Path, typer.Argument(help="The bundle, one .tar file")]

_group = typer.Typer(
    help="Carry what all feeds said into a network without internet: one file, signed and verified.",
    no_args_is_help=True,
    rich_markup_mode="markdown",
)


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(_group, name="bundle")


@_group.command(epilog="Example: `meddojo bundle keygen --name 'PSIRT' keys/psirt`")
def keygen(
    base: Annotated[Path, typer.Argument(help="BASE.key is the secret, BASE.pub goes to those who import")],
    name: Annotated[str, typer.Option(help="Whose key it is")] = "MedDojo bundle",
) -> None:
    """Make a pair of keys for signing bundles."""
    from scheduler.console import Console

    with errors_told(Console()):
        from meddojo.signature import generate

        typer.echo(generate(base, name))


@_group.command(epilog="Example: `meddojo pull && meddojo bundle export feeds.tar --key psirt.key`")
def export(
    file: FileArgument,
    key: Annotated[Path | None, typer.Option(help="Secret key to sign with, of `bundle keygen`")] = None,
    config: ConfigOption = None,
    verbose: VerboseOption = 0,
    quiet: QuietOption = False,
) -> None:
    """Write everything the feeds said, as the store has it, into one file. Devices and findings stay here."""
    with open_session(config, verbose, quiet) as session:
        from scheduler.bundle import export_bundle

        export_bundle(session.store, file, key, session.console)


@_group.command(
    "import", epilog="Example: `meddojo bundle import feeds.tar --trusted-key psirt.pub && meddojo run --offline`"
)
def import_(
    file: FileArgument,
    trusted_key: Annotated[
        list[Path] | None, typer.Option(help="Public key whose signature counts; may be given several times")
    ] = None,
    allow_unsigned: Annotated[
        bool, typer.Option("--allow-unsigned", help="Trust whoever brought the file; checksums still count")
    ] = False,
    allow_older: Annotated[
        bool, typer.Option("--allow-older", help="Import it although the store has newer feeds")
    ] = False,
    config: ConfigOption = None,
    verbose: VerboseOption = 0,
    quiet: QuietOption = False,
) -> None:
    """Verify a bundle as a whole, then take in its feeds, each completely or not at all."""
    with open_session(config, verbose, quiet) as session:
        from scheduler.bundle import import_bundle

        import_bundle(
            session.store,
            file,
            tuple(trusted_key or ()),
            session.console,
            allow_unsigned=allow_unsigned,
            allow_older=allow_older,
        )
