"""A feed: lines of ``CVE | CPE | what it is about``."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from meddojo.config import FeedConfig
from meddojo.errors import InputError
from meddojo.interface import Checkpoint, Record, Skipped
from meddojo.vulnerability import Configuration, CpeMatch, CpeNode, Vulnerability


@dataclass(frozen=True)
class Bulletin:
    """Reads only the lines that were added since the last time."""

    file: Path
    name: str = "ward_bulletin"

    def update(self, cursor: str | None) -> Iterator[Record | Skipped | Checkpoint]:
        """Yield a vulnerability a line; the cursor counts lines."""
        try:
            lines = self.file.read_text("utf-8").splitlines()
        except OSError as error:
            raise InputError(str(self.file), "", str(error.strerror), "write the bulletin") from None
        for number, line in enumerate(lines[int(cursor or 0) :], start=int(cursor or 0) + 1):
            try:
                cve, cpe, description = (part.strip() for part in line.split("|"))
            except ValueError:
                yield Skipped(f"{self.file}: line {number}", "is not: CVE | CPE | description")
                continue
            node = CpeNode("OR", (CpeMatch(cpe),))
            yield Vulnerability(cve, self.name, description, configurations=(Configuration("OR", (node,)),))
        yield Checkpoint(str(len(lines)))


def build(config: FeedConfig) -> Bulletin:
    """The feed of ``[feeds.ward_bulletin]``."""
    return Bulletin(Path(config.source))
