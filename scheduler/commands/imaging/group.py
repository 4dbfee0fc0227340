"""The group ``meddojo imaging`` and the options its commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from meddojo.errors import ConfigError

group = typer.Typer(
    help="Segment lesions on PET/CT: make cases, train, measure.", no_args_is_help=True, rich_markup_mode="markdown"
)

DataOption = Annotated[
    Path, typer.Option("--data", help="Folder of cases: index.json and .npz files", exists=True, file_okay=False)
]
SeedOption = Annotated[int, typer.Option("--seed", min=0, help="Seed of everything random")]
RunsArgument = Annotated[
    list[Path], typer.Argument(help="Folders of finished trainings, or of such folders", exists=True, file_okay=False)
]
RunsOrShippedArgument = Annotated[
    list[Path] | None,
    typer.Argument(
        help="Folders of finished trainings, or of such folders [default: the shipped model of soft-tissue sarcoma]",
        exists=True,
        file_okay=False,
    ),
]
RunArgument = Annotated[Path, typer.Argument(help="Folder of a finished training", exists=True, file_okay=False)]


def needs_tensorflow() -> None:
    """Say what to install where TensorFlow is not.

    Raises
    ------
    ConfigError
        If it is not here.
    """
    from importlib.util import find_spec

    if find_spec("tensorflow") is None or find_spec("tf_keras") is None:
        raise ConfigError(
            "training and measuring networks need TensorFlow, which is not here",
            "install it: pip install 'meddojo[imaging]'",
        )
