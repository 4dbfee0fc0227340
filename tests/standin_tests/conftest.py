"""A real DefectDojo to compare with, when the environment names one."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from tests.standin_tests.scenarios import Talk


@pytest.fixture
def server() -> Iterator[Talk]:
    url, token = os.environ.get("DEFECTDOJO_PARITY_URL"), os.environ.get("DEFECTDOJO_PARITY_TOKEN")
    if not url or not token:
        pytest.skip("DEFECTDOJO_PARITY_URL and DEFECTDOJO_PARITY_TOKEN name no DefectDojo to compare with")
    talk = Talk(url.rstrip("/"), token)
    yield talk
    talk.session.close()
