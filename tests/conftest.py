"""Fixtures every room's tests share."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import settings

# How long an example takes tells of the machine and what else runs on it, not of the code.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")

REPOSITORY = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Folder of real data that is never committed; tests that need it skip when it is absent."""
    folder = REPOSITORY.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("the real data folder ../shared/data is not on this machine")
    return folder


@pytest.fixture(scope="session")
def hospital() -> Path:
    """The shipped example."""
    return REPOSITORY / "examples" / "hospital"
