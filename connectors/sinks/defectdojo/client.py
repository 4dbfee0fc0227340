"""The calls of DefectDojo's API v2 that the sink needs."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import urlsplit

from connectors.http import HttpRefusedError, PoliteSession, Response
from connectors.sinks.generic_findings import Row
from meddojo.config import DefectDojoConfig
from meddojo.errors import ConfigError, RemoteError

SCAN_TYPE = "Generic Findings Import"
_PAGE = 1000

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Policy:
    """How the server recognises a finding it already has (``GET /tests/{id}/``)."""

    algorithm: str
    hash_fields: tuple[str, ...]

    @property
    def hashed(self) -> frozenset[str]:
        """Fields of a row that make the server's hash."""
        if self.algorithm == "unique_id_from_tool":
            return frozenset()
        return frozenset(self.hash_fields or ("title", "cwe", "line", "file_path", "description"))


@dataclass(frozen=True, slots=True)
class RemoteTest:
    """A DefectDojo test: one stream of one device.

    Attributes
    ----------
    engagement
        Number of the engagement it belongs to.
    percent_complete
        Below 100 while its first import is under way, or when that one died half-way.
    """

    id: int
    title: str
    engagement: int
    percent_complete: int
    policy: Policy


class DefectDojoClient:
    """A session with one DefectDojo server.

    Parameters
    ----------
    config
        Address, token and time-outs.
    """

    def __init__(self, config: DefectDojoConfig, session: PoliteSession | None = None) -> None:
        token = config.token.get_secret_value()
        if not token:
            raise ConfigError(
                "DefectDojo needs an API token",
                "set DEFECTDOJO_TOKEN, or name a file that holds it as defectdojo.token_file",
            )
        if not token.isascii() or any(character.isspace() for character in token):
            raise ConfigError(
                "the DefectDojo API token holds blanks or odd characters", "copy it again from the user page"
            )
        parts = urlsplit(config.url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ConfigError("defectdojo.url is not an address", "write https://defectdojo.example.org")
        self.url = config.url.rstrip("/").removesuffix("/api/v2")
        self._config = config
        self._session = session or PoliteSession(config.network, {"Authorization": f"Token {token}"})

    @property
    def requests_sent(self) -> int:
        """HTTP requests so far, repetitions counted."""
        return self._session.requests_sent

    def user_id(self) -> int:
        """Number of the user the token belongs to."""
        return int(self._get("user_profile/")["user"]["id"])

    def test_type_id(self) -> int | None:
        """Number of our test type; None before the first delivery."""
        name = f"{self._config.test_type} Scan ({SCAN_TYPE})"
        rows = self._get("test_types/", {"name": name})["results"]
        return next((int(row["id"]) for row in rows if row["name"] == name), None)

    def tests(self, **filters: Any) -> Iterator[RemoteTest]:
        """Tests by ``title`` (exact) or ``test_type``."""
        return (_test(row) for row in self._pages("tests/", filters | {"o": "title"}))

    def test(self, number: int) -> RemoteTest | None:
        """One test; None if it is gone."""
        try:
            return _test(self._get(f"tests/{number}/"))
        except HttpRefusedError as error:
            if error.status == 404:
                return None
            raise

    def findings(self, **filters: Any) -> Iterator[Mapping[str, Any]]:
        """Findings by ``test`` or ``test__test_type``."""
        return self._pages("findings/", filters | {"o": "id"})

    def reimport(self, findings: Sequence[Row], target: Mapping[str, str], *, version: str) -> None:
        """Import findings the server does not have; sent once, since it is not safe against two imports at a time.

        Parameters
        ----------
        target
            Form fields that name the test: its number, or titles with ``auto_create_context``.
        """
        report = {"name": "MedDojo", "type": self._config.test_type, "findings": findings}
        form = {
            "scan_type": SCAN_TYPE,
            "minimum_severity": "Info",
            # What is not in the file is not gone: it is there already.
            "close_old_findings": "false",
            "do_not_reactivate": "true",
            "version": version,
            **target,
        }
        file = ("meddojo.json", json.dumps(report).encode(), "application/json")
        self._send("POST", "reimport-scan/", attempts=1, data=form, files={"file": file}).json()

    def patch(self, number: int, changes: Mapping[str, Any]) -> None:
        """Change fields of one finding."""
        self._send("PATCH", f"findings/{number}/", json=dict(changes))

    def close(self, number: int, note: str) -> None:
        """Mitigate one finding, with a note that says why; sent once, since every call leaves a note."""
        self._send("POST", f"findings/{number}/close/", attempts=1, json={"is_mitigated": True, "note": note})

    def place(self, engagement: int) -> tuple[str, str]:
        """Names of the product and of the engagement with this number, as people may have renamed them."""
        found = self._get(f"engagements/{engagement}/")
        return str(self._get(f"products/{found['product']}/")["name"]), str(found["name"])

    def sees_product_type(self) -> bool:
        """Whether the configured product type exists and the token's user may see it."""
        rows = self._get("product_types/", {"name": self._config.product_type})["results"]
        return any(row["name"] == self._config.product_type for row in rows)

    def _pages(self, path: str, filters: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
        offset = 0
        while True:
            page = self._get(path, {**filters, "limit": _PAGE, "offset": offset})
            yield from page["results"]
            offset += len(page["results"])
            if not page["results"] or offset >= page["count"]:
                return

    def _get(self, path: str, params: Mapping[str, Any] | None = None) -> Any:
        return self._send("GET", path, params=params).json()

    def _send(self, method: str, path: str, **request: Any) -> Response:
        try:
            return self._session.send(method, f"{self.url}/api/v2/{path}", **request)
        except HttpRefusedError as error:
            raise _explained(error, method, path) from None


def shape(read: Callable[[], T], url: str) -> T:
    """Run `read`, turning an answer of the wrong shape into an error a person understands.

    Raises
    ------
    RemoteError
        If the JSON is not what DefectDojo's API gives.
    """
    try:
        return read()
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise RemoteError(
            f"{url} answers, but not like DefectDojo's API v2 ({type(error).__name__}: {error})",
            "check defectdojo.url; it is the address of the start page",
        ) from None


def _explained(error: HttpRefusedError, method: str, path: str) -> HttpRefusedError:
    """The same refusal, saying what to do about it."""
    hints = {
        401: "the API token was not accepted; check DEFECTDOJO_TOKEN",
        403: "the API token is wrong or its user lacks the right; check DEFECTDOJO_TOKEN, and that the user is staff "
        "or may create products in the product type",
        404: "check defectdojo.url; it is the address of the start page",
        413: "the proxy in front of DefectDojo limits uploads; raise its body size",
    }
    hint = hints.get(error.status, "DefectDojo refuses the request as it is; see its answer")
    answer = error.response.excerpt()
    return HttpRefusedError(
        f"DefectDojo answered HTTP {error.status} to {method} {path}: {answer}", hint, error.response
    )


def _test(row: Mapping[str, Any]) -> RemoteTest:
    return RemoteTest(
        int(row["id"]),
        row.get("title") or "",
        int(row["engagement"]),
        int(row.get("percent_complete") or 0),
        Policy(row.get("deduplication_algorithm") or "legacy", tuple(row.get("hash_code_fields") or ())),
    )
