"""The kind of medical device a text names: by words, not learned, since the few advisories name some kinds once."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib.resources import files


def device_type(text: str) -> str:
    """The kind, such as ``infusion pump``; empty when no word names one."""
    lower = text.lower()
    return next((kind for kind, names in _kinds().items() if any(name in lower for name in names)), "")


@cache
def _kinds() -> dict[str, list[str]]:
    return tomllib.loads(files(__package__).joinpath("device_types.toml").read_text("utf-8"))
