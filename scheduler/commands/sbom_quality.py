"""``meddojo sbom quality``: whether an SBOM says what NTIA, CISA, FDA and BSI ask."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from scheduler.console import Console
from scheduler.session import JsonOption, QuietOption, VerboseOption, errors_told


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(
        epilog=(
            "Examples: `meddojo sbom quality pump.cdx.json`  ·  `meddojo sbom quality *.json --catalogue fda`  ·  "
            "`meddojo sbom quality pump.spdx.json --catalogue ntia --fail-under 95 --json`"
        )
    )(quality)


def quality(
    files: Annotated[list[Path], typer.Argument(help="CycloneDX or SPDX documents")],
    catalogue: Annotated[
        str, typer.Option("--catalogue", metavar="NAME", help="ntia, cisa, cisa-2025, cisa-2026, fda, bsi or all")
    ] = "all",
    fail_under: Annotated[
        float | None,
        typer.Option("--fail-under", metavar="SCORE", min=0, max=100, help="Exit with 1 if a file scores less"),
    ] = None,
    as_json: JsonOption = False,
    verbose: VerboseOption = 0,
    quiet: QuietOption = False,
) -> None:
    """Score, grade and what is missing where. Nothing is stored or delivered; -v names every component."""
    from scheduler import sbom_quality

    console = Console(-1 if quiet else verbose)
    with errors_told(console):
        code = sbom_quality.quality(
            files,
            console,
            catalogue=catalogue,
            fail_under=fail_under,
            as_json=as_json,
            every=verbose > 0,
        )
    sys.exit(int(code))
