"""The real advisories of ../shared/data, and the memory of this process."""

from __future__ import annotations

import resource
from collections.abc import Iterator
from pathlib import Path

from connectors.feeds import csaf
from meddojo.advisory import Advisory
from meddojo.config import FeedConfig

REPOSITORY = Path(__file__).resolve().parents[2]
SHARED = REPOSITORY.parent / "shared" / "data"
MEDICAL, INDUSTRIAL = (SHARED / f"cisa_csaf_{name}.jsonl.zst" for name in ("icsma", "icsa"))


def missing() -> str:
    """One line that says what is not on this machine; empty if all is there."""
    absent = [str(file) for file in (MEDICAL, INDUSTRIAL) if not file.is_file()]
    return f"not measured, missing: {', '.join(absent)}" if absent else ""


def advisories_of(file: Path) -> Iterator[Advisory]:
    """Every advisory of an archive, as the feed reads it."""
    return (item for item in csaf.build(FeedConfig(source=str(file))).update(None) if isinstance(item, Advisory))


def peak_memory() -> float:
    """Largest resident set of this process so far, in MiB (Linux counts in KiB)."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
