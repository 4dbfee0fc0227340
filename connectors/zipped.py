"""ZIP archives of untrusted documents, member by member."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path

from connectors.unpacking import MEBIBYTE
from meddojo.errors import InputError
from meddojo.interface import Skipped

MAX_MEMBERS = 2_000_000
"""Most members of an archive."""

_MAGIC = b"PK\x03\x04"


def is_archive(path: Path) -> bool:
    """Whether a file begins as a ZIP archive does."""
    try:
        with path.open("rb") as handle:
            return handle.read(len(_MAGIC)) == _MAGIC
    except OSError:
        return False  # whoever reads it says why


def zip_members(path: Path, max_bytes: int, max_total: int) -> Iterator[tuple[str, bytes] | Skipped]:
    """Name and content of every file of an archive, in its own order; nothing is written anywhere.

    Parameters
    ----------
    max_bytes, max_total
        Caps on what one member, and all together, may unpack to; counted while unpacking, whatever the archive states.

    Raises
    ------
    InputError
        If it is damaged as a whole, has more than `MAX_MEMBERS`, or all of it together is too large.
    """
    total = 0
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
            if len(members) > MAX_MEMBERS:
                raise InputError(str(path), "", f"more than {MAX_MEMBERS:,} files in it", "split the archive")
            for member in members:
                if member.is_dir():
                    continue
                origin = f"{path}: {member.filename[:200]}"
                try:
                    with archive.open(member) as handle:
                        data = handle.read(max_bytes + 1)
                except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
                    yield Skipped(origin, f"cannot be unpacked: {error}")
                    continue
                total += len(data)
                if total > max_total:
                    limit = f"more than {max_total // MEBIBYTE} MiB when unpacked"
                    raise InputError(str(path), "", limit, "split the archive, or check where it came from")
                if len(data) > max_bytes:
                    yield Skipped(origin, f"larger than {max_bytes // MEBIBYTE} MiB")
                else:
                    yield member.filename, data
    except (zipfile.BadZipFile, OSError) as error:
        raise InputError(str(path), "", f"no ZIP archive that can be read: {error}", "fetch it again") from None
