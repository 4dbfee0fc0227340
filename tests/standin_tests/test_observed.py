"""The stand-in does what DefectDojo 3.2.0 was seen to do; ``observed.json`` was recorded from a running server.

With ``DEFECTDOJO_PARITY_URL`` and ``DEFECTDOJO_PARITY_TOKEN`` (an administrator's) the same conversations are held with
that server as well. It is left with a product type "Parity" and one product for each conversation.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.standin import DefectDojoStandin
from tests.standin_tests.lifecycles import LIFECYCLES
from tests.standin_tests.scenarios import SCENARIOS, Talk

CONVERSATIONS = SCENARIOS | LIFECYCLES
OBSERVED = json.loads(Path(__file__).with_name("observed.json").read_text(encoding="utf-8"))


def plain(value: Any) -> Any:
    return json.loads(json.dumps(value))


def test_every_conversation_was_recorded() -> None:
    assert sorted(OBSERVED) == sorted(CONVERSATIONS)


@pytest.mark.parametrize("name", CONVERSATIONS)
def test_standin_does_as_observed(name: str) -> None:
    with DefectDojoStandin() as dojo:
        talk = Talk(dojo.url, dojo.token)
        with talk.session:
            assert plain(CONVERSATIONS[name](talk)) == OBSERVED[name]
        assert dojo.internal_errors == []


@pytest.mark.timeout(600)
@pytest.mark.parametrize("name", CONVERSATIONS)
def test_server_still_does_as_observed(name: str, server: Talk) -> None:
    assert plain(CONVERSATIONS[name](server)) == OBSERVED[name]
