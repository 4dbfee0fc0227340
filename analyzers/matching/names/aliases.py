"""Other names a device is known by: the table ``product_aliases.toml``."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.resources import files

from analyzers.matching.names.normalise import fold
from analyzers.matching.names.vendors import vendor_keys


@dataclass(frozen=True, slots=True)
class _Alias:
    pattern: re.Pattern[str]
    name: str


@lru_cache(maxsize=65536)
def known_names(vendor: str, model: str) -> tuple[str, ...]:
    """The model itself, then every other name the table has for it."""
    folded = fold(model)
    found = [
        match.expand(alias.name)
        for key in sorted(vendor_keys(vendor))
        for alias in _table().get(key, ())
        if (match := alias.pattern.search(folded)) is not None
    ]
    return tuple(dict.fromkeys((model, *found)))


@cache
def _table() -> Mapping[str, tuple[_Alias, ...]]:
    """Aliases by the index key of their vendor."""
    data = tomllib.loads(files("analyzers.matching.names").joinpath("product_aliases.toml").read_text(encoding="utf-8"))
    table: dict[str, tuple[_Alias, ...]] = {}
    for row in data["alias"]:
        for key in vendor_keys(row["vendor"]):
            table[key] = (*table.get(key, ()), _Alias(re.compile(row["pattern"]), row["name"]))
    return table
