"""How the table of implied vendors comes about: of which vendor the records with a name in them were."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from analyzers.advisory_text.implied_vendors import Table, names
from analyzers.matching.names.normalise import squash

LEAST_PROBABILITY = 0.7
"""Names that point at their vendor less often than this are left out."""
_LEAST_RECORDS = 3
_LEAST_NAMED = 0.5
"""Share of a name's records whose own product or vendor it has to be part of: else it only stands beside it often."""
_SHORTEST = 3
_PRUNED_EVERY = 20_000
_FORM = frozenset("project inc corporation corp ltd software foundation gmbh ag technologies systems networks".split())


@dataclass(frozen=True, slots=True)
class Record:
    """A description, and the names that its record states in words."""

    text: str
    vendor: str
    product: str


def learn(records: Sequence[Record]) -> dict[str, tuple[str, float]]:
    """The vendor of each name that is part of products of nearly always the same one."""
    seen = Counter[str]()
    for number, record in enumerate(records, 1):
        seen.update({name for name, _ in names(record.text)})
        if number % _PRUNED_EVERY == 0:
            seen = Counter({name: count for name, count in seen.items() if count > 1})  # fits into memory
    frequent = {name for name, count in seen.items() if count >= _LEAST_RECORDS}
    vendors: defaultdict[str, Counter[str]] = defaultdict(Counter)
    own = Counter[str]()
    spellings: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for record in records:
        vendor = _bare(record.vendor)
        spellings[vendor][record.vendor] += 1
        stated = f"{squash(record.product)} {squash(record.vendor)}"
        for name in {name for name, _ in names(record.text)} & frequent:
            vendors[name][vendor] += 1
            own[name] += len(squash(name)) >= _SHORTEST and squash(name) in stated
    table: dict[str, tuple[str, float]] = {}
    for name, counts in vendors.items():
        vendor, count = counts.most_common(1)[0]
        probability = count / (counts.total() + 1)
        if probability >= LEAST_PROBABILITY and own[name] >= _LEAST_NAMED * counts.total():
            table[name] = (spellings[vendor].most_common(1)[0][0], round(probability, 3))
    return {name: row for name, row in table.items() if not _said_shorter(name, row, table)}


def _said_shorter(name: str, row: tuple[str, float], table: Table) -> bool:
    """Whether a part of the name says the same as surely."""
    words = name.split(" ")
    parts = {" ".join(words[first:last]) for first in range(len(words)) for last in range(first + 1, len(words) + 1)}
    return any(part in table and table[part][0] == row[0] and table[part][1] >= row[1] for part in parts - {name})


def _bare(vendor: str) -> str:
    """The vendor without the words that come and go: ``foo`` and ``foo project`` are one."""
    words = [word for word in re.split(r"[^0-9a-z]+", vendor.lower()) if word]
    return "".join([word for word in words if word not in _FORM] or words)


def write_table(table: Table) -> str:
    """What `read_table` reads; sorted, so that a new one shows what changed."""
    return "".join(f"{name}\t{vendor}\t{probability}\n" for name, (vendor, probability) in sorted(table.items()))
