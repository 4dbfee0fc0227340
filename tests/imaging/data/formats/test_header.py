"""What a library says of foreign data is not repeated: not in an error, a log, a warning or the context of an error."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Callable

import pytest

from imaging.data.formats.header import safely
from meddojo.errors import InputError

pytest.importorskip("pydicom")


def test_what_a_library_logs_warns_and_raises_stays_inside(
    caplog: pytest.LogCaptureFixture, no_canary: Callable[..., None]
) -> None:
    def library() -> None:
        logging.getLogger("highdicom.base").warning("odd name: CANARY^PATIENT")
        warnings.warn("CANARY^PATIENT is no date", stacklevel=1)
        raise ValueError("CANARY^PATIENT")

    caplog.set_level(logging.DEBUG)
    with pytest.raises(InputError, match=r"file: place: is damaged.*ValueError") as refused:
        safely(library, "file", "place")
    assert refused.value.__context__ is None
    no_canary(refused.value, caplog.text)
    logging.getLogger("other").warning("heard again")
    assert "heard again" in caplog.text


def test_errors_of_ours_and_missing_libraries_pass() -> None:
    def refuse() -> None:
        raise InputError("file", "", "is odd")

    def lack() -> None:
        raise ModuleNotFoundError("no library")

    with pytest.raises(InputError, match="is odd"):
        safely(refuse, "", "")
    with pytest.raises(ModuleNotFoundError):
        safely(lack, "", "")
