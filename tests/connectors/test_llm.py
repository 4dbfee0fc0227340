"""A language model of one's own: what is sent, and what goes wrong."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from pydantic import SecretStr

from connectors.llm import ask
from meddojo.config import AdvisoryTextConfig, NetworkConfig
from meddojo.errors import MeddojoError, RemoteError, TransientError

OPENAI = {"choices": [{"message": {"role": "assistant", "content": '{"products": []}'}}]}
OLLAMA = {"message": {"role": "assistant", "content": '{"products": []}'}, "done": True}
SCHEMA = {"type": "object"}


class Model:
    """A server that says one thing, and remembers what it was asked."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.asked: list[tuple[str, dict[str, str], Any]] = []


@contextmanager
def model(body: bytes, status: int = 200) -> Iterator[Model]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            server_state.asked.append((self.path, dict(self.headers.items()), asked))
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *arguments: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server_state = Model(f"http://127.0.0.1:{server.server_address[1]}")
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server_state
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@contextmanager
def dripping() -> Iterator[str]:
    """A server that sends a byte now and then, so that no read of its own ever times out."""
    stop = threading.Event()
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        connection, _ = listener.accept()
        with connection:
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
            while not stop.wait(0.05):
                try:
                    connection.sendall(b" ")
                except OSError:
                    return

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        stop.set()
        thread.join()
        listener.close()


def config(url: str, api: str = "openai", seconds: float = 5.0, key: str = "") -> AdvisoryTextConfig:
    return AdvisoryTextConfig.model_validate(
        {"llm_url": url, "llm_api": api, "llm_model": "tiny", "llm_timeout_seconds": seconds, "llm_key": SecretStr(key)}
    )


def test_off_by_default() -> None:
    assert AdvisoryTextConfig().llm_url == ""


@pytest.mark.parametrize("suffix", ["/v1", "/v1/", "/v1/chat/completions"])
def test_openai(suffix: str) -> None:
    with model(json.dumps(OPENAI).encode()) as server:
        answer = ask(config(server.url + suffix, key="k3y-k3y-k3y"), NetworkConfig(), "order", "the text", SCHEMA)
    assert answer == '{"products": []}'
    ((path, headers, asked),) = server.asked
    assert path == "/v1/chat/completions"
    assert headers["Authorization"] == "Bearer k3y-k3y-k3y"
    assert [message["content"] for message in asked["messages"]] == ["order", "the text"]
    assert asked["response_format"]["json_schema"]["schema"] == SCHEMA
    assert (asked["model"], asked["temperature"]) == ("tiny", 0)


def test_ollama() -> None:
    with model(json.dumps(OLLAMA).encode()) as server:
        assert ask(config(server.url, "ollama"), NetworkConfig(), "order", "text", SCHEMA) == '{"products": []}'
    ((path, headers, asked),) = server.asked
    assert path == "/api/chat"
    assert "Authorization" not in headers
    assert (asked["format"], asked["stream"]) == (SCHEMA, False)


@pytest.mark.parametrize(
    "body",
    [b"<html>", b"[]", b"{}", b'{"choices": []}', b'{"choices": [{"message": {"content": 3}}]}', b'{"choices": 7}'],
)
def test_an_answer_of_another_shape(body: bytes) -> None:
    with model(body) as server, pytest.raises(RemoteError):
        ask(config(server.url), NetworkConfig(), "order", "text", SCHEMA)


def test_a_refusal_does_not_tell_the_key() -> None:
    with model(b"no such key: k3y-k3y-k3y", 401) as server, pytest.raises(MeddojoError) as caught:
        ask(config(server.url, key="k3y-k3y-k3y"), NetworkConfig(), "order", "text", SCHEMA)
    assert "k3y-k3y-k3y" not in str(caught.value)
    assert len(server.asked) == 1


def test_too_long_an_answer() -> None:
    with model(b" " * 2**21) as server, pytest.raises(RemoteError, match="more than"):
        ask(config(server.url), NetworkConfig(), "order", "text", SCHEMA)


def test_a_server_that_hangs() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        started = time.monotonic()
        with pytest.raises(TransientError):
            ask(config(f"http://127.0.0.1:{listener.getsockname()[1]}", seconds=0.3), NetworkConfig(), "o", "t", SCHEMA)
        assert time.monotonic() - started < 5


def test_a_server_that_never_gets_done() -> None:
    with dripping() as url:
        started = time.monotonic()
        with pytest.raises(TransientError, match=r"not answered in 0\.5 s"):
            ask(config(url, seconds=0.5), NetworkConfig(), "o", "t", SCHEMA)
        assert time.monotonic() - started < 5
