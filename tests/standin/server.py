"""The HTTP server of the stand-in, and the handle tests hold."""

from __future__ import annotations

import json
import secrets
import sys
import threading
import time
import traceback
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from socket import SHUT_RDWR
from typing import Any, Literal, NamedTuple, Self
from urllib.parse import urlsplit

from tests.standin.context import run_upload
from tests.standin.errors import Refused, forbidden, internal_error, refused_field
from tests.standin.faults import HTML_PAGE, Fault, Faults
from tests.standin.form import Form, read_multipart
from tests.standin.serializer import patch_finding
from tests.standin.shapes import snapshot
from tests.standin.state import Row, State, now
from tests.standin.views import TOKEN_AUTH, UPLOADS, Request, resolve

NOT_FOUND_PAGE = "<!DOCTYPE html><html><head><title>DefectDojo</title></head><body>404 - Not Found</body></html>"
Decision = Literal["false_p", "risk_accepted", "out_of_scope", "mitigated", "verified", "under_review"]
# Longest request body the stand-in reads: the server's report limit and some form fields.
LARGEST_BODY = 101 * 1024 * 1024


class Exchange(NamedTuple):
    """One request and the status it was answered with; 0 when the connection was dropped."""

    method: str
    path: str
    status: int


class DefectDojoStandin:
    """A DefectDojo 3.2.0 for tests, on a free port of the loopback interface.

    Attributes
    ----------
    url, token : str
        Where it listens, and the token of its administrator.
    requests : list of Exchange
        Every request so far.
    uploads : list of dict
        The form fields of every import and reimport that arrived, and the report under ``"report"``.
    faults : Faults
        The script of faults.
    overlaps : int
        Uploads that began while another one into the same product, engagement and test title was running.
        The real server would have made a mess of those.
    upload_seconds : float
        How long an upload takes at least.
    internal_errors : list of str
        Tracebacks of requests the stand-in itself broke on, answered with 500.
    """

    def __init__(self, *, port: int = 0, token: str = "", state_file: Path | None = None) -> None:
        self.state = State()
        self.faults = Faults()
        self.requests: list[Exchange] = []
        self.uploads: list[Row] = []
        self.overlaps = 0
        self.internal_errors: list[str] = []
        self.upload_seconds = 0.0
        self._running: Counter[tuple[str, ...]] = Counter()
        self._state_file = state_file
        if state_file is not None and state_file.exists():
            self.state.load(state_file)
        self.token = self.add_user("admin", token=token, superuser=True)
        self._server = _Server(("127.0.0.1", port), self)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)

    @property
    def url(self) -> str:
        """Address without a trailing slash, like ``http://127.0.0.1:40123``."""
        return f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self.save()

    def save(self) -> None:
        """Write the state file, if one was named."""
        if self._state_file is not None:
            partial = self._state_file.with_suffix(".partial")
            partial.write_text(self.state.dump(), encoding="utf-8")
            partial.replace(self._state_file)

    @property
    def findings(self) -> list[Row]:
        """The stored findings themselves; changing one changes the server."""
        return list(self.state.tables["findings"].values())

    @property
    def policy(self) -> dict[str, dict[str, Any]]:
        """Deduplication policy by test type name or scan type: ``{"algorithm": ..., "fields": [...]}``."""
        return self.state.policies

    @policy.setter
    def policy(self, policies: dict[str, dict[str, Any]]) -> None:
        self.state.policies = policies

    def add_user(self, name: str, *, token: str = "", superuser: bool = False, password: str = "") -> str:
        """Create a user, or find the one a state file brought along, and return the user's token."""
        with self.state.lock:
            user = self.state.last("users", username=name) or self.state.add(
                "users",
                username=name,
                first_name=name.capitalize(),
                last_name="Tester",
                email=f"{name}@example.invalid",
                date_joined=now(),
                last_login=None,
                is_active=True,
                is_staff=superuser,
                is_superuser=superuser,
                token_last_reset=None,
                password_last_reset=None,
                configuration_permissions=[],
                _token=token or secrets.token_hex(20),
                _password=password or secrets.token_hex(8),
            )
            user["_token"] = token or user["_token"]
            return str(user["_token"])

    def person(self, name: str) -> Row:
        """The user with this name, created as an administrator when missing."""
        self.add_user(name, superuser=True)
        user = self.state.last("users", username=name)
        assert user is not None
        return user

    def finding(self, identifier: int) -> Row:
        """One stored finding."""
        return self.state.tables["findings"][identifier]

    def decide(self, finding_id: int, decision: Decision, by: str = "person") -> None:
        """Decide about a finding as a person does in the web page."""
        changes: Row = {decision: True}
        with self.state.lock:
            row = self.finding(finding_id)
            if decision == "risk_accepted":
                self.state.product_of(row)["enable_simple_risk_acceptance"] = True
                changes["active"] = False
            if decision == "mitigated":
                changes = {"is_mitigated": True, "active": False}
            patch_finding(self.state, row, changes, self.person(by))

    def edit(self, finding_id: int, by: str = "person", **fields: Any) -> None:
        """Change fields of a finding as a person does."""
        with self.state.lock:
            patch_finding(self.state, self.finding(finding_id), fields, self.person(by))

    def add_note(self, finding_id: int, entry: str, by: str = "person") -> None:
        """Write a note on a finding as a person does."""
        with self.state.lock:
            self.state.note(self.finding(finding_id), entry, self.person(by))

    def authorise(self, name: str, product_name: str) -> None:
        """Let an ordinary user into a product."""
        with self.state.lock:
            product = self.state.last("products", name=product_name)
            user = self.state.last("users", username=name)
            assert product is not None and user is not None
            product["authorized_users"].append(user["id"])

    def snapshot(self) -> dict[str, Any]:
        """Tests and findings without identifiers and times; see :func:`tests.standin.shapes.snapshot`."""
        with self.state.lock:
            return snapshot(self.state)

    def count(self, method: str, path: str = "/api/v2/") -> int:
        """How many requests of a method went to addresses that begin with *path*."""
        return sum(made.method == method and made.path.startswith(path) for made in list(self.requests))

    def user_of(self, authorization: str | None) -> Row:
        """The user of an Authorization header.

        Raises
        ------
        Refused
            403 when there is none.
        """
        scheme, _, key = (authorization or "").partition(" ")
        if scheme.lower() != "token":
            raise forbidden("Authentication credentials were not provided.")
        for user in list(self.state.tables["users"].values()):
            if secrets.compare_digest(str(user["_token"]).encode(), key.strip().encode()):
                return user
        raise forbidden("Invalid token.")

    @contextmanager
    def uploading(self, form: Form) -> Iterator[None]:
        """Count uploads into one test that run at the same time."""
        target: tuple[str, ...] = ("test", form.get("test") or "")
        if form.get("test") is None:
            target = tuple(form.get(name) or "" for name in ("product_name", "engagement_name", "test_title"))
        with self.state.lock:
            self.overlaps += self._running[target] > 0
            self._running[target] += 1
            fields = {name: values if name == "tags" else values[-1] for name, values in form.fields.items()}
            self.uploads.append(fields | {"report": form.files.get("file", ("", b""))[1]})
        try:
            yield
        finally:
            with self.state.lock:
                self._running[target] -= 1


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def __init__(self, address: tuple[str, int], dojo: DefectDojoStandin) -> None:
        super().__init__(address, _Handler)
        self.dojo = dojo

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that goes away in the middle is part of the game; anything else is kept for the test."""
        if not isinstance(sys.exception(), OSError):
            self.dojo.internal_errors.append(traceback.format_exc())


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Server

    def log_message(self, format: str, *args: Any) -> None:
        """Be quiet."""

    def do_GET(self) -> None:
        """Any GET."""
        self._serve()

    do_POST = do_PATCH = do_PUT = do_DELETE = do_HEAD = do_OPTIONS = do_GET  # noqa: N815

    def _serve(self) -> None:
        dojo, parts = self.server.dojo, urlsplit(self.path)
        path = parts.path if parts.path.endswith("/") else parts.path + "/"
        body = self._body()
        fault = dojo.faults.take(self.command, path)
        if fault is not None and self._struck_before(fault, path):
            return
        status, answer = self._answer(path, parts.query, body, fault)
        if fault is not None and fault.kind in ("drop_after", "hang_after"):
            time.sleep(fault.seconds)
            self._drop(path)
            return
        self._send(path, status, answer)

    def _body(self) -> bytes:
        """The request body, sent with its length or in chunks."""
        if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
            length = int(self.headers.get("Content-Length") or 0)
            self.close_connection = self.close_connection or length > LARGEST_BODY
            return self.rfile.read(min(length, LARGEST_BODY))
        content = bytearray()
        while size := int(self.rfile.readline().split(b";")[0], 16):
            content += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return bytes(content)

    def _struck_before(self, fault: Fault, path: str) -> bool:
        """Let a fault strike that keeps the request from being looked at."""
        if fault.kind == "status":
            self._send(path, fault.status, fault.body, fault.headers)
        elif fault.kind == "html":
            self._send(path, 200, HTML_PAGE)
        elif fault.kind in ("drop", "hang"):
            time.sleep(fault.seconds)
            self._drop(path)
        else:
            return False
        return True

    def _answer(self, path: str, query: str, body: bytes, fault: Fault | None) -> tuple[int, Any]:
        dojo = self.server.dojo
        view, identifier, allowed = resolve(self.command, path)
        try:
            if not allowed:
                return 404, NOT_FOUND_PAGE
            if path == TOKEN_AUTH and self.command == "POST":
                return self._token(json.loads(body or b"{}"))
            user = dojo.user_of(self.headers.get("Authorization"))
            if self.command not in allowed:
                raise Refused(405, {"detail": f'Method "{self.command}" not allowed.'})
            content_type = self.headers.get("Content-Type") or ""
            if path in UPLOADS:
                return self._upload(path, content_type, body, user, fault)
            address = f"http://{self.headers.get('Host')}{path}"
            request = Request(self.command, path, query, address, user, content_type, body)
            assert view is not None
            with dojo.state.lock:
                status, answer = view(dojo.state, request, identifier)
                return status, json.dumps(answer)
        except Refused as refusal:
            return refusal.status, refusal.body
        except Exception:
            dojo.internal_errors.append(traceback.format_exc())
            return internal_error().status, internal_error().body

    def _upload(self, path: str, content_type: str, body: bytes, user: Row, fault: Fault | None) -> tuple[int, Any]:
        dojo, form = self.server.dojo, read_multipart(content_type, body)
        broken = fault is not None and fault.kind == "break_half_way"
        with dojo.uploading(form):
            return run_upload(
                dojo.state,
                form,
                user,
                for_reimport=path.endswith("reimport-scan/"),
                seconds=dojo.upload_seconds,
                break_half_way=broken,
            )

    def _token(self, data: Row) -> tuple[int, Any]:
        for user in self.server.dojo.state.tables["users"].values():
            if (user["username"], user["_password"]) == (data.get("username"), data.get("password")):
                return 200, {"token": user["_token"]}
        raise refused_field("non_field_errors", "Unable to log in with provided credentials.", "authorization")

    def _send(self, path: str, status: int, answer: Any, headers: dict[str, str] | None = None) -> None:
        text = answer if isinstance(answer, str) else json.dumps(answer)
        content = text.encode("utf-8")
        kind = "text/html; charset=utf-8" if text.startswith("<") else "application/json"
        self.server.dojo.requests.append(Exchange(self.command, path, status))
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def _drop(self, path: str) -> None:
        self.server.dojo.requests.append(Exchange(self.command, path, 0))
        self.close_connection = True
        try:
            self.connection.shutdown(SHUT_RDWR)
        except OSError:
            # The client was faster.
            self.close_connection = True
