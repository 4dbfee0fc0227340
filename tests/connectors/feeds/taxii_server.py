"""medallion, the reference TAXII 2.1 server, as a process of its own on loopback; and a line to it that can be cut."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

USER, PASSWORD = "ward", "correct-horse-battery"
ROOT = "intelligence"
COLLECTION = "91a7b528-80eb-42ed-a74d-c6fbd5a26116"
CLOSED = "52892447-4d7e-4f70-b94d-d7f22742ff63"
ADDED = "2024-01-{day:02d}T00:00:00.000000Z"
_MEDIA = "application/stix+json;version=2.1"


def _collection(name: str, title: str, can_read: bool) -> dict[str, Any]:
    rights = {"can_read": can_read, "can_write": True, "media_types": [_MEDIA]}
    return {"id": name, "title": title, "description": "", **rights, "objects": [], "manifest": []}


def contents(objects: list[dict[str, Any]], groups: int = 9) -> dict[str, Any]:
    """What the server starts with: `objects` in one collection, added on `groups` days, many at the same moment."""
    open_ = _collection(COLLECTION, "ATT&CK for ICS", True)
    size = -(-len(objects) // groups) if objects else 1
    for position, each in enumerate(objects):
        open_["objects"].append(each)
        version = each.get("modified", each.get("created"))
        added = ADDED.format(day=1 + position // size)
        open_["manifest"].append({"id": each["id"], "date_added": added, "version": version, "media_type": _MEDIA})
    information = {"title": ROOT, "versions": ["application/taxii+json;version=2.1"], "max_content_length": 10_000_000}
    collections = [open_, _collection(CLOSED, "Members only", False)]
    return {
        "/discovery": {"title": "A server", "api_roots": [f"/{ROOT}/"]},
        ROOT: {"information": information, "status": [], "collections": collections},
    }


@dataclass
class Medallion:
    address: str
    process: subprocess.Popen[str]

    def add(self, *objects: dict[str, Any]) -> None:
        """Publish objects, as a member would."""
        import requests

        media = {"Content-Type": "application/taxii+json;version=2.1", "Accept": "application/taxii+json;version=2.1"}
        url = f"{self.address}/{ROOT}/collections/{COLLECTION}/objects/"
        answer = requests.post(
            url, json={"objects": list(objects)}, headers=media, auth=(USER, PASSWORD), timeout=30
        ).json()
        assert answer["failure_count"] == 0, answer

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()


@contextmanager
def medallion(folder: Path, objects: list[dict[str, Any]], page: int = 250) -> Iterator[Medallion]:
    """Serve `objects`, at most `page` an answer."""
    data = folder / "medallion-data.json"
    data.write_text(json.dumps(contents(objects)), "utf-8")
    config = folder / "medallion.json"
    backend = {"module": "medallion.backends.memory_backend", "module_class": "MemoryBackend", "filename": str(data)}
    users = {USER: PASSWORD}
    config.write_text(json.dumps({"users": users, "taxii": {"max_page_size": page}, "backend": backend}), "utf-8")
    environment = os.environ | {"HOME": str(folder)}
    words = [sys.executable, "-W", "ignore", __file__, str(config)]
    process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=environment)
    assert process.stdout is not None
    try:
        port = process.stdout.readline().strip()
        assert port.isdigit(), "medallion did not start"
        yield Medallion(f"http://127.0.0.1:{port}", process)
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


@dataclass
class Line:
    """A proxy in front of a server; from connection `cut_at` on, it lets `bytes_let_through` pass and hangs up."""

    address: str = ""
    cut_at: int = 10**9
    bytes_let_through: int = 0
    connections: int = 0
    sockets: list[socket.socket] = field(default_factory=list)


@contextmanager
def line_to(address: str) -> Iterator[Line]:
    """Requests through the line have to be ``Connection: close``: it counts connections."""
    host, port = address.removeprefix("http://").split(":")
    listener = socket.create_server(("127.0.0.1", 0))
    line = Line(f"http://127.0.0.1:{listener.getsockname()[1]}")

    def serve() -> None:
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            line.connections += 1
            limit = line.bytes_let_through if line.connections >= line.cut_at else 10**12
            threading.Thread(target=_relay, args=(client, (host, int(port)), limit), daemon=True).start()

    threading.Thread(target=serve, daemon=True).start()
    try:
        yield line
    finally:
        listener.close()


def _relay(client: socket.socket, server: tuple[str, int], limit: int) -> None:
    with client, socket.create_connection(server) as upstream, suppress(OSError):
        request = b""
        while b"\r\n\r\n" not in request:
            request += client.recv(65536)
        head, _, rest = request.partition(b"\r\n\r\n")
        lines = [each for each in head.split(b"\r\n") if not each.lower().startswith(b"connection:")]
        upstream.sendall(b"\r\n".join([*lines, b"Connection: close"]) + b"\r\n\r\n" + rest)
        passed = 0
        while data := upstream.recv(65536):
            client.sendall(data[: limit - passed])
            passed += len(data)
            if passed >= limit:
                return


def _serve(config: str) -> None:
    from functools import cache
    from socketserver import ThreadingMixIn
    from wsgiref.simple_server import WSGIServer, make_server

    from medallion import common, load_app
    from medallion.filters import basic_filter

    # It compares every object with every other and reads their times anew each time: a minute for 1,825 of them.
    common.string_to_datetime = basic_filter.string_to_datetime = cache(common.string_to_datetime)

    class Server(ThreadingMixIn, WSGIServer):
        daemon_threads = True

    server = make_server("127.0.0.1", 0, load_app(config), Server)
    print(server.server_port, flush=True)
    server.serve_forever()


if __name__ == "__main__":
    _serve(sys.argv[1])
