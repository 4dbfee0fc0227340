"""``meddojo imaging``: the PET/CT model, from cases to a measured and compressed network."""

from __future__ import annotations

import typer

from scheduler.commands.imaging import cases, inspection, training
from scheduler.commands.imaging.group import group

__all__ = ["cases", "inspection", "register", "training"]


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
