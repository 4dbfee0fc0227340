"""A web server on loopback, and documents with one value replaced by something else."""

from __future__ import annotations

import copy
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import strategies as st

from connectors.http import PoliteSession
from meddojo.config import NetworkConfig

Answer = tuple[int, dict[str, str], bytes]

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda children: st.lists(children, max_size=4) | st.dictionaries(st.text(max_size=12), children, max_size=4),
    max_leaves=15,
)


@dataclass
class Website:
    """Answers by path; a callable gets the query."""

    address: str
    pages: dict[str, bytes | Answer | Callable[[dict[str, str]], bytes | Answer]] = field(default_factory=dict)
    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)

    def answer(self, target: str, headers: dict[str, str]) -> Answer:
        parts = urlsplit(target)
        query = {key: values[0] for key, values in parse_qs(parts.query).items()}
        self.asked.append((parts.path, query))
        self.headers.append(headers)
        page = self.pages.get(parts.path, (404, {}, b"not here"))
        page = page(query) if callable(page) else page
        return page if isinstance(page, tuple) else (200, {}, page)

    @property
    def paths(self) -> list[str]:
        return [path for path, _ in self.asked]


@pytest.fixture
def website() -> Iterator[Website]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, headers, body = site.answer(self.path, {key.lower(): value for key, value in self.headers.items()})
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    site = Website(f"http://127.0.0.1:{server.server_address[1]}")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    yield site
    server.shutdown()
    server.server_close()


@pytest.fixture
def session() -> PoliteSession:
    return PoliteSession(NetworkConfig(attempts=2, timeout_seconds=5), pause=lambda _: None)


@pytest.fixture(scope="session")
def anything() -> st.SearchStrategy[Any]:
    return JSON


@pytest.fixture(scope="session")
def mutated() -> Callable[[Any], st.SearchStrategy[Any]]:
    """A strategy of copies of a document in which one value, anywhere, became something else."""

    def strategy(document: Any) -> st.SearchStrategy[Any]:
        return st.builds(
            lambda path, value: _replaced(document, path, value), st.sampled_from(list(_paths(document))), JSON
        )

    return strategy


def _paths(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield path
    children = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, child in children:
        yield from _paths(child, (*path, key))


def _replaced(document: Any, path: tuple[Any, ...], value: Any) -> Any:
    if not path:
        return value
    result = copy.deepcopy(document)
    owner = result
    for key in path[:-1]:
        owner = owner[key]
    owner[path[-1]] = value
    return result
