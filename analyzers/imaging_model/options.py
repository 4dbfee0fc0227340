"""``[analyzers.options.imaging_model]``: bounds of one's own, and for how long a measurement counts."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

from meddojo.errors import ConfigError
from meddojo.imaging_model import NO_BOUNDS, Bounds

_SECTION = "analyzers.options.imaging_model"


@dataclass(frozen=True, slots=True)
class Options:
    """What may be set.

    Attributes
    ----------
    bounds
        They go before what the model declares.
    stale_after_days
        A measurement that is older is told to be old; what it found stands.
    files_stale_after_days
        The same for the look at the files, which every run takes where the inventory names their folder.
    """

    bounds: Bounds = NO_BOUNDS
    stale_after_days: int = 180
    files_stale_after_days: int = 30


def read_options(values: Mapping[str, Any]) -> Options:
    """Read the section.

    Raises
    ------
    ConfigError
        On an unknown key or a value out of range.
    """
    names = [field.name for field in fields(Bounds)]
    days = [field.name for field in fields(Options) if field.name != "bounds"]
    options = Options()
    for name, value in values.items():
        number = isinstance(value, int | float) and not isinstance(value, bool)
        if name in names and number and 0.0 <= value <= 1.0:
            options = replace(options, bounds=replace(options.bounds, **{name: float(value)}))
        elif name in days and number and value == int(value) and 1 <= value <= 10_000:
            changed: dict[str, Any] = {name: int(value)}
            options = replace(options, **changed)
        elif name in names or name in days:
            known = "a number from 0 to 1" if name in names else "a whole number of days from 1"
            raise ConfigError(f"{_SECTION}.{name} is {str(value)[:40]!r}", f"use {known}")
        else:
            near = difflib.get_close_matches(name, [*names, *days], n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"known: {', '.join([*names, *days])}"
            raise ConfigError(f"{_SECTION} has no {name!r}", hint)
    return options
