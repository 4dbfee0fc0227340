"""``[feeds.nvd.options]``, with the defaults that suit NVD itself."""

from __future__ import annotations

import difflib
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from meddojo.errors import ConfigError

LARGEST_PAGE = 2000
KEYLESS_REQUESTS = 5
KEYED_REQUESTS = 50

_BOUNDS = {
    "max_outage_minutes": (0.0, 7 * 24 * 60.0),
    "overlap_hours": (0.0, 30 * 24.0),
    "page_size": (1, LARGEST_PAGE),
    "requests_per_30_seconds": (0, 10_000),
}
_WHOLE = frozenset({"page_size", "requests_per_30_seconds"})


@dataclass(frozen=True, slots=True)
class NvdOptions:
    """How the NVD API, or a mirror of it, is asked.

    Attributes
    ----------
    max_outage_minutes
        How long a server that does not answer is tried again, beyond ``network.attempts``.
    overlap_hours
        How much before the last synchronisation is asked for again: a record may become visible some time after its
        modification date, and a mirror may lag behind.
    page_size
        Records an answer, 2,000 at most.
    requests_per_30_seconds
        0 for a mirror without a limit; by default 5, or 50 with an API key, as NVD asks for.
    """

    max_outage_minutes: float = 0.0
    overlap_hours: float = 2.0
    page_size: int = LARGEST_PAGE
    requests_per_30_seconds: int = KEYLESS_REQUESTS


def read_options(options: Mapping[str, Any], has_key: bool) -> NvdOptions:
    """Read the table; numbers may be texts, as environment variables are.

    Raises
    ------
    ConfigError
        On an unknown name (naming the nearest one), or a value that is no number within its bounds.
    """
    for name in options:
        if name not in _BOUNDS:
            near = difflib.get_close_matches(name, _BOUNDS, n=1, cutoff=0.4)
            hint = f"did you mean {near[0]!r}?" if near else f"known: {', '.join(_BOUNDS)}"
            raise ConfigError(f"feeds.nvd.options has no {name!r}", hint)
    values = {name: _number(name, value) for name, value in options.items()}
    values.setdefault("requests_per_30_seconds", KEYED_REQUESTS if has_key else KEYLESS_REQUESTS)
    return NvdOptions(**{name: int(value) if name in _WHOLE else value for name, value in values.items()})  # type: ignore[arg-type]


def _number(name: str, value: Any) -> float:
    low, high = _BOUNDS[name]
    try:
        number = math.nan if isinstance(value, bool) else float(value)
    except (TypeError, ValueError, OverflowError):
        number = math.nan
    if not low <= number <= high or (name in _WHOLE and not number.is_integer()):
        kind = "a whole number" if name in _WHOLE else "a number"
        raise ConfigError(f"feeds.nvd.options.{name} is {str(value)[:40]!r}", f"{kind} from {low:g} to {high:g}")
    return number
