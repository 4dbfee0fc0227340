"""The polite session against real servers on loopback."""

from __future__ import annotations

import base64
import shutil
import socket
import ssl
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from connectors.http import LONGEST_PAUSE_SECONDS, HttpRefusedError, HttpUnavailableError, PoliteSession
from meddojo.config import NetworkConfig
from meddojo.errors import ConfigError, MeddojoError, RemoteError, TransientError

SECRET = "planted-0123456789abcdef"
AUTHORIZED = {"Authorization": f"Token {SECRET}"}


@dataclass(frozen=True)
class Asked:
    method: str
    path: str
    headers: dict[str, str]


@dataclass
class Host:
    """Gives the answers in turn, the last one for ever."""

    url: str
    answers: list[tuple[int, dict[str, str], bytes]]
    asked: list[Asked] = field(default_factory=list)


@contextmanager
def serving(*answers: tuple[int, dict[str, str], bytes], tls: ssl.SSLContext | None = None) -> Iterator[Host]:
    class Handler(BaseHTTPRequestHandler):
        def respond(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            headers = {name.lower(): value for name, value in self.headers.items()}
            host.asked.append(Asked(self.command, self.path, headers))
            status, extra, body = host.answers[min(len(host.asked), len(host.answers)) - 1]
            self.send_response(status)
            for name, value in ({"Content-Length": str(len(body))} | extra).items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST = respond  # noqa: N815

        def log_message(self, *_: object) -> None:
            pass

    class Quiet(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, *_: object) -> None:
            pass  # a client that hangs up is what some of these tests are about

    server = Quiet(("127.0.0.1", 0), Handler)
    if tls:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    host = Host(f"{'https' if tls else 'http'}://127.0.0.1:{server.server_port}", list(answers))
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield host
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class Client:
    """A session that notes its pauses instead of making them."""

    def __init__(self, headers: dict[str, str] | None = None, **network: object) -> None:
        self.pauses: list[float] = []
        settings = {"timeout_seconds": 5.0, "attempts": 3} | network
        self.session = PoliteSession(NetworkConfig.model_validate(settings), headers, self.pauses.append)


GOOD = (200, {}, b'{"fine": true}')


def test_an_answer_comes_back_with_its_status_and_body() -> None:
    client = Client({"X-Ours": "1"})
    with serving(GOOD) as host:
        response = client.session.send("GET", f"{host.url}/path", params={"q": "a b"})
    assert (response.status, response.json()) == (200, {"fine": True})
    assert host.asked[0].path == "/path?q=a+b"
    assert host.asked[0].headers["x-ours"] == "1"
    assert host.asked[0].headers["user-agent"].startswith("MedDojo/")
    assert client.pauses == []


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_a_passing_failure_is_tried_again(status: int) -> None:
    client = Client()
    with serving((status, {}, b"busy"), (status, {}, b"busy"), GOOD) as host:
        assert client.session.get(host.url) == GOOD[2]
    assert client.session.requests_sent == 3
    first, second = client.pauses
    assert 1.0 <= first <= 2.0 and 2.0 <= second <= 4.0


def test_after_the_last_attempt_the_error_names_status_and_number_of_attempts() -> None:
    client = Client(attempts=2)
    with serving((503, {}, b"closed\nfor   repairs")) as host, pytest.raises(HttpUnavailableError) as caught:
        client.session.get(f"{host.url}/feed")
    assert isinstance(caught.value, TransientError)
    assert caught.value.status == 503 and caught.value.answered
    assert "/feed answered HTTP 503 (closed for repairs), tried 2 time(s)" in caught.value.message
    assert caught.value.hint
    assert len(host.asked) == 2 and len(client.pauses) == 1


def test_retry_after_in_seconds_is_kept_to() -> None:
    client = Client()
    with serving((429, {"Retry-After": "7"}, b""), GOOD) as host:
        client.session.get(host.url)
    assert client.pauses == [7.0]


def test_retry_after_as_a_date_is_kept_to() -> None:
    client = Client()
    moment = format_datetime(datetime.now(UTC) + timedelta(seconds=40), usegmt=True)
    with serving((503, {"Retry-After": moment}, b""), GOOD) as host:
        client.session.get(host.url)
    assert 30.0 < client.pauses[0] <= 40.0


@pytest.mark.parametrize(
    "value",
    ["soon", "-5", "", "\xb2", "Fri, 31 Dec 1999 23:59:59 GMT", "Fri, 31 Dec 1999 23:59:59 +9999", "99999999999 days"],
)
def test_an_unusable_retry_after_counts_as_none(value: str) -> None:
    client = Client()
    with serving((503, {"Retry-After": value}, b""), GOOD) as host:
        assert client.session.get(host.url) == GOOD[2]
    assert 1.0 <= client.pauses[0] <= 2.0


@pytest.mark.parametrize("value", [str(int(LONGEST_PAUSE_SECONDS) + 1), "9" * 400, "Fri, 31 Dec 9999 23:59:59 GMT"])
def test_nobody_waits_for_hours(value: str) -> None:
    client = Client()
    with serving((429, {"Retry-After": value}, b"")) as host, pytest.raises(HttpUnavailableError, match="HTTP 429"):
        client.session.get(host.url)
    assert len(host.asked) == 1 and client.pauses == []


@pytest.mark.parametrize("status", [400, 401, 403, 404, 413])
def test_a_refusal_is_not_tried_again(status: int) -> None:
    client = Client()
    with serving((status, {}, b'{"detail": "no such thing"}')) as host, pytest.raises(HttpRefusedError) as caught:
        client.session.get(host.url)
    assert len(host.asked) == 1 and client.pauses == []
    assert caught.value.status == status and "no such thing" in caught.value.message
    assert caught.value.response.body == b'{"detail": "no such thing"}'


def test_a_request_that_must_not_be_repeated_is_sent_once() -> None:
    client = Client()
    with serving((500, {}, b"")) as host, pytest.raises(HttpUnavailableError):
        client.session.send("POST", host.url, attempts=1, json={})
    assert len(host.asked) == 1


def test_an_answer_over_the_limit_is_broken_off() -> None:
    with serving((200, {}, b"x" * 100_001)) as host:
        assert len(Client().session.get(host.url, max_bytes=100_001)) == 100_001
        with pytest.raises(RemoteError, match="more than 100,000 bytes"):
            Client().session.get(host.url, max_bytes=100_000)


def test_the_limit_holds_for_what_compression_unfolds_to() -> None:
    import gzip

    bomb = gzip.compress(bytes(5_000_000))
    with (
        serving((200, {"Content-Encoding": "gzip"}, bomb)) as host,
        pytest.raises(RemoteError, match="more than 1,000,000 bytes"),
    ):
        Client().session.get(host.url, max_bytes=1_000_000)


def test_the_limit_holds_for_the_body_of_a_redirect() -> None:
    with (
        serving((302, {"Location": "/elsewhere"}, b"x" * 300_000)) as host,
        pytest.raises(RemoteError, match="more than 100,000 bytes"),
    ):
        Client().session.get(host.url, max_bytes=100_000)


def test_a_redirect_on_the_same_server_is_followed_without_repeating_the_query() -> None:
    with serving((302, {"Location": "/new"}, b""), GOOD) as host:
        assert Client(AUTHORIZED).session.get(f"{host.url}/old", params={"page": "2"}) == GOOD[2]
    assert [asked.path for asked in host.asked] == ["/old?page=2", "/new"]
    assert host.asked[1].headers["authorization"] == f"Token {SECRET}"


@pytest.mark.parametrize("name", ["localhost", "127.0.0.1"])
def test_a_redirect_to_another_host_or_port_is_refused_and_never_sees_our_headers(name: str) -> None:
    with serving(GOOD) as stranger:
        address = stranger.url.replace("127.0.0.1", name)
        with (
            serving((302, {"Location": f"{address}/steal?x=1"}, b"")) as host,
            pytest.raises(RemoteError, match="not followed") as caught,
        ):
            Client(AUTHORIZED).session.get(host.url)
    assert stranger.asked == []
    assert f"{address}/steal" in caught.value.message and "x=1" not in caught.value.message


def test_a_redirected_upload_is_refused_because_it_would_turn_into_a_look_up() -> None:
    with serving((301, {"Location": "/v2/"}, b"")) as host, pytest.raises(RemoteError, match="redirects a POST"):
        Client().session.send("POST", f"{host.url}/v1/", json={})
    assert len(host.asked) == 1


def test_redirects_in_circles_end() -> None:
    with serving((302, {"Location": "/again"}, b"")) as host, pytest.raises(RemoteError, match="in circles"):
        Client().session.get(host.url)
    assert len(host.asked) == 6


@pytest.mark.parametrize("location", ["http://[bad/", "http://127.0.0.1:99999999/", "//[", "http://127.0.0.1:port/"])
def test_a_redirect_to_nonsense_is_one_clear_error(location: str) -> None:
    with serving((302, {"Location": location}, b"")) as host, pytest.raises(RemoteError, match="no address"):
        Client().session.get(host.url)


@pytest.mark.parametrize("url", ["http://host:port/", "http://[x/", "http://127.0.0.1:99999/", "htp://x", "nonsense"])
def test_an_address_that_is_none_is_an_error_of_the_configuration(url: str) -> None:
    with pytest.raises(ConfigError, match="cannot be requested"):
        Client().session.get(url)


def test_a_server_that_is_not_there_is_tried_again_and_named() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
        client = Client()
        with pytest.raises(HttpUnavailableError, match="Connection refused") as caught:
            client.session.get(f"http://127.0.0.1:{port}/api?token={SECRET}")
    assert f"http://127.0.0.1:{port}/api could not be reached" in caught.value.message
    assert SECRET not in str(caught.value) and len(client.pauses) == 2 and not caught.value.answered


def test_a_server_that_hangs_is_given_up_after_the_timeout() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        client = Client(timeout_seconds=0.1, attempts=2)
        with pytest.raises(HttpUnavailableError, match="no answer within the time-out"):
            client.session.get(f"http://127.0.0.1:{silent.getsockname()[1]}/")
    assert client.session.requests_sent == 2


def test_an_answer_that_breaks_off_is_tried_again() -> None:
    client = Client(attempts=2, timeout_seconds=0.3)
    with serving((200, {"Content-Length": "1000"}, b"half"), GOOD) as host:
        assert client.session.get(host.url) == GOOD[2]
    assert len(host.asked) == 2


def test_html_where_json_belongs_is_told_from_json() -> None:
    page = b"<html><body>please log in</body></html>"
    with serving((200, {"Content-Type": "text/html; charset=utf-8"}, page)) as host:
        response = Client().session.send("GET", f"{host.url}/api")
        with pytest.raises(RemoteError, match="answered HTTP 200 with text/html where JSON was expected"):
            response.json()
    assert response.excerpt() == "an HTML page"


def test_what_a_server_repeats_of_our_headers_is_hidden_in_messages() -> None:
    echo = f"unknown token {SECRET}".encode()
    with serving((401, {}, echo)) as host, pytest.raises(HttpRefusedError) as refused:
        Client(AUTHORIZED).session.get(host.url)
    with serving((500, {}, echo)) as host, pytest.raises(HttpUnavailableError) as failed:
        Client(AUTHORIZED, attempts=1).session.get(host.url)
    for error in (refused.value, failed.value):
        assert "unknown token ***" in error.message
    assert SECRET not in repr(refused.value.response).replace(repr(echo), "")


@pytest.mark.parametrize("status", [200, 302, 401, 503])
def test_no_message_tells_user_password_or_query_of_an_address(status: int) -> None:
    with serving((status, {"Location": f"http://u:{SECRET}@localhost/?k={SECRET}"}, b"{")) as host:
        address = host.url.replace("//", f"//user:{SECRET}@")
        with pytest.raises(MeddojoError) as caught:
            Client(AUTHORIZED, attempts=1).session.send("GET", f"{address}/?key={SECRET}").json()
    assert SECRET not in str(caught.value) and host.url in str(caught.value)


def test_netrc_does_not_replace_our_authorization(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login other password other\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    with serving(GOOD) as host:
        Client(AUTHORIZED).session.get(host.url)
        Client().session.get(host.url)
    assert host.asked[0].headers["authorization"] == f"Token {SECRET}"
    assert "authorization" not in host.asked[1].headers


def test_a_configured_proxy_is_used() -> None:
    with serving(GOOD) as proxy:
        url = proxy.url.replace("//", f"//clerk:{SECRET}@")
        assert Client(proxy=url).session.get("http://feeds.invalid/epss") == GOOD[2]
    assert proxy.asked[0].path == "http://feeds.invalid/epss"
    expected = base64.b64encode(f"clerk:{SECRET}".encode()).decode()
    assert proxy.asked[0].headers["proxy-authorization"] == f"Basic {expected}"


def test_a_proxy_that_is_down_is_told_without_its_password() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        proxy = f"http://clerk:{SECRET}@127.0.0.1:{unused.getsockname()[1]}"
        with pytest.raises(HttpUnavailableError, match=r"feeds\.invalid") as caught:
            Client(proxy=proxy, attempts=1).session.get("http://feeds.invalid/")
    assert SECRET not in str(caught.value) and "proxy" in caught.value.hint


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    openssl = shutil.which("openssl")
    if not openssl:
        pytest.skip("openssl, which makes the certificate of the test server, is not on this machine")
    file = tmp_path_factory.mktemp("tls") / "server.pem"
    options = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=127.0.0.1"
    names = ["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(file), "-out", str(file.with_suffix(".crt"))]
    subprocess.run([openssl, *options.split(), *names], check=True, capture_output=True)
    file.write_text(file.read_text() + file.with_suffix(".crt").read_text())
    return file


@pytest.fixture
def tls(certificate: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context


def test_an_unknown_ca_is_refused_at_once_and_the_way_out_named(tls: ssl.SSLContext) -> None:
    client = Client()
    with serving(GOOD, tls=tls) as host, pytest.raises(RemoteError, match="certificate was not accepted") as caught:
        client.session.get(host.url)
    assert "network.ca_file" in caught.value.hint
    assert "self-signed" in caught.value.message.replace("self signed", "self-signed")
    assert client.pauses == [] and host.asked == []


def test_the_configured_ca_is_trusted(certificate: Path, tls: ssl.SSLContext) -> None:
    with serving(GOOD, tls=tls) as host:
        assert Client(ca_file=str(certificate.with_suffix(".crt"))).session.get(host.url) == GOOD[2]


def test_a_ca_file_that_is_missing_is_an_error_of_the_configuration(tmp_path: Path) -> None:
    client = Client(ca_file=str(tmp_path / "missing.pem"))
    with pytest.raises(ConfigError) as caught:
        client.session.get("https://127.0.0.1:1/")
    assert "network.ca_file" in caught.value.hint


def test_a_redirect_from_https_to_http_is_refused(certificate: Path, tls: ssl.SSLContext) -> None:
    with serving(GOOD) as plain, serving((302, {"Location": plain.url}, b""), tls=tls) as host:
        client = Client(AUTHORIZED, ca_file=str(certificate.with_suffix(".crt")))
        with pytest.raises(RemoteError, match="not followed"):
            client.session.get(host.url)
    assert plain.asked == []


@pytest.mark.parametrize(
    ("old", "new", "same"),
    [
        ("http://h/a", "http://h/b", True),
        ("http://h/a", "http://h:80/b", True),
        ("http://h/a", "https://h/b", True),
        ("https://h/a", "http://h/b", False),
        ("https://h/a", "https://h:8443/b", False),
        ("http://h:8080/a", "https://h/b", False),
        ("https://h/a", "https://h.evil/b", False),
        ("https://h/a", "https://H/b", True),
    ],
)
def test_only_the_same_server_or_its_step_up_to_https_counts_as_home(old: str, new: str, same: bool) -> None:
    from connectors.http import _same_server

    assert _same_server(old, new) is same


def test_the_environment_names_a_proxy_where_the_configuration_does_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("NO_PROXY", "localhost")
    monkeypatch.delenv("no_proxy", raising=False)
    session = PoliteSession(NetworkConfig(attempts=1))
    with pytest.raises(HttpUnavailableError, match="refused"):
        session.get("http://unreachable.example/")
