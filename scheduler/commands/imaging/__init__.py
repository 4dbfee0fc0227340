"""``meddojo imaging``: the PET/CT model, from cases to a measured and compressed network."""

from __future__ import annotations

import typer

from scheduler.commands.imaging import cases, compression, inspection, survival, training, uncertainty
from scheduler.commands.imaging.group import group

__all__ = ["cases", "compression", "inspection", "register", "survival", "training", "uncertainty"]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(
        group,
        name="imaging",
        epilog=(
            "Example: `meddojo imaging synthesize --out cases`  ·  `meddojo imaging train --data cases --out run`  ·  "
            "`meddojo imaging evaluate run --data cases`"
        ),
    )
