"""``meddojo sbom``: bills of materials by themselves, without an inventory and without the network."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from scheduler.commands import sbom_quality
from scheduler.gate import ExitCode
from scheduler.session import ConfigOption, JsonOption, QuietOption, VerboseOption, open_session

ScanOption = Annotated[
    list[Path] | None, typer.Option("--scan", "-s", help="Grype, Trivy, SARIF or VDR report on it; several times")
]
VexOption = Annotated[list[Path] | None, typer.Option("--vex", help="VEX document; may be given several times")]
LimitOption = Annotated[int, typer.Option("--limit", "-n", min=1, help="How many lines of each kind to print")]

_group = typer.Typer(
    help="Bills of materials (SBOMs) by themselves: no inventory, no network, nothing is stored.",
    no_args_is_help=True,
    rich_markup_mode="markdown",
)


def register(app: typer.Typer) -> None:
    """Add the commands."""
    sbom_quality.register(_group)
    app.add_typer(_group, name="sbom")


@_group.command(
    epilog="Examples: `meddojo sbom score device.cdx.json --scan device.grype.json`  ·  "
    "`meddojo sbom score device.spdx.json --vex vendor.openvex.json --fail-on high --json`"
)
def score(
    file: Annotated[Path, typer.Argument(help="SBOM: CycloneDX, SPDX or Syft")],
    scans: ScanOption = None,
    vex: VexOption = None,
    limit: LimitOption = 10,
    config: ConfigOption = None,
    fail_on: Annotated[
        str, typer.Option("--fail-on", metavar="SEVERITY", help="Exit with 1 if the score is in this band or above")
    ] = "",
    as_json: JsonOption = False,
    verbose: VerboseOption = 0,
    quiet: QuietOption = False,
) -> None:
    """Which vulnerable components matter where they sit, and which upgrade removes most risk.

    Vulnerabilities come from the SBOM itself, the reports given, and the store where one is configured.
    """
    import json

    with open_session(config, verbose, quiet, fail_on, may_be_unconfigured=True) as session:
        from scheduler import sbom_words, sboms

        scored = sboms.score_file(file, scans or (), vex or (), session.config, session.store, session.console)
        if as_json:
            typer.echo(json.dumps(sboms.score_as_dict(scored, limit), indent=2))
        else:
            sbom_words.print_score(scored, limit)
        floor = session.config.delivery.fail_on if fail_on else None
        tripped = floor is not None and scored.risk.severity.rank >= floor.rank
    raise typer.Exit(int(ExitCode.GATE if tripped else ExitCode.CLEAN))


@_group.command(
    epilog="Examples: `meddojo sbom diff v1.cdx.json v2.cdx.json`  ·  "
    "`meddojo sbom diff v1.cdx.json v2.cdx.json --old-scan v1.grype.json --new-scan v2.grype.json --json`"
)
def diff(
    old: Annotated[Path, typer.Argument(help="SBOM of the version before")],
    new: Annotated[Path, typer.Argument(help="SBOM of the version after")],
    old_scans: Annotated[list[Path] | None, typer.Option("--old-scan", help="Report on the version before")] = None,
    new_scans: Annotated[list[Path] | None, typer.Option("--new-scan", help="Report on the version after")] = None,
    vex: VexOption = None,
    limit: LimitOption = 20,
    config: ConfigOption = None,
    as_json: JsonOption = False,
    verbose: VerboseOption = 0,
    quiet: QuietOption = False,
) -> None:
    """What came, went, and changed its version between two SBOMs, and what became of the risk."""
    import json

    with open_session(config, verbose, quiet, may_be_unconfigured=True) as session:
        from scheduler import sbom_words, sboms

        before, after = (
            sboms.score_file(file, scans or (), vex or (), session.config, session.store, session.console)
            for file, scans in ((old, old_scans), (new, new_scans))
        )
        if as_json:
            typer.echo(json.dumps(sboms.diff_as_dict(before, after), indent=2))
        else:
            sbom_words.print_diff(before, after, limit)


@_group.command(
    epilog="Examples: `meddojo sbom graph device.cdx.json --scan device.grype.json`  ·  "
    "`meddojo sbom graph device.spdx.json -o device.svg`"
)
def graph(
    file: Annotated[Path, typer.Argument(help="SBOM: CycloneDX, SPDX or Syft")],
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", help="File to write, .html or .svg [default: name of the SBOM with .graph.html]"),
    ] = None,
    scans: ScanOption = None,
    vex: VexOption = None,
    config: ConfigOption = None,
    verbose: VerboseOption = 0,
    quiet: QuietOption = False,
) -> None:
    """The dependency graph as a page that opens on the risky paths, or as a still picture (SVG) of them."""
    with open_session(config, verbose, quiet, may_be_unconfigured=True) as session:
        from scheduler import sbom_picture, sboms

        scored = sboms.score_file(file, scans or (), vex or (), session.config, session.store, session.console)
        target = out or Path(f"{file.name.split('.')[0]}.graph.html")
        size = sbom_picture.write_picture(scored, target)
        session.console.say(
            f"wrote {target} ({size / 1e6:.2f} MB): {len(scored.sbom.components):,} components,"
            f" {len(scored.risk.ranking):,} of them vulnerable, score {scored.risk.score:.1f} of 100"
        )
