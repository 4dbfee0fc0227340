"""One polite HTTP session for feeds and sinks: time-outs, size caps, Retry-After, redirects that stay at home."""

from __future__ import annotations

import json
import os
import random
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin, urlsplit

from meddojo import __version__
from meddojo.config import NetworkConfig
from meddojo.errors import ConfigError, RemoteError, TransientError

if TYPE_CHECKING:
    import requests

MAX_BYTES = 512 * 1024 * 1024
MAX_REDIRECTS = 5
LONGEST_PAUSE_SECONDS = 300.0
_RETRIED = frozenset({429, 500, 502, 503, 504})
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_CHUNK = 1 << 16
_SHORTEST_SECRET = 8
_DEFAULT_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Response:
    """A complete answer.

    Attributes
    ----------
    hidden
        What must not appear in a message, should the server send it back: the words of our own headers.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes
    url: str
    hidden: tuple[str, ...] = field(default=(), repr=False)

    def json(self) -> Any:
        """Decode the body.

        Raises
        ------
        RemoteError
            If the body is not JSON: a login page, a proxy's error page, the wrong URL.
        """
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError):
            kind = self.headers.get("Content-Type", "no content type").split(";")[0]
            raise RemoteError(
                f"{self.url} answered HTTP {self.status} with {kind} where JSON was expected",
                "check the URL; a proxy or a login page may stand in between",
            ) from None

    def excerpt(self, length: int = 300) -> str:
        """Start of the body, on one line, for messages."""
        text = self.body[: length * 4].decode("utf-8", "replace")
        for secret in self.hidden:
            text = text.replace(secret, "***")
        if "<html" in text.lower():
            return "an HTML page"
        return " ".join(text.split())[:length]


class HttpRefusedError(RemoteError):
    """The server answered with a 4xx that a repetition would not change."""

    def __init__(self, message: str, hint: str, response: Response) -> None:
        super().__init__(message, hint)
        self.response = response
        self.status = response.status


class HttpUnavailableError(TransientError):
    """No usable answer after all attempts.

    Attributes
    ----------
    status
        The last HTTP status, or 0 when the connection itself failed.
    retry_after
        Seconds the server asked to be left alone for; 0 when it did not ask.
    """

    def __init__(self, message: str, hint: str, status: int = 0, retry_after: float = 0.0) -> None:
        super().__init__(message, hint)
        self.status = status
        self.retry_after = retry_after

    @property
    def answered(self) -> bool:
        """Whether the server said it has stopped working on the request."""
        return self.status not in (0, 502, 504)


class PoliteSession:
    """A `requests` session that waits when asked to, and never follows a redirect to a stranger.

    Parameters
    ----------
    network
        Proxy, CA bundle, time-out and number of attempts.
    headers
        Sent with every request, but never to another host.
    pause
        How to wait, in seconds; replaced in tests.
    """

    def __init__(
        self,
        network: NetworkConfig,
        headers: Mapping[str, str] | None = None,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self._network = network
        self._headers = dict(headers or {})
        self._hidden = tuple(
            word for value in self._headers.values() for word in value.split() if len(word) >= _SHORTEST_SECRET
        )
        self._pause = pause
        self._session: requests.Session | None = None
        self.requests_sent = 0

    def get(self, url: str, params: Mapping[str, Any] | None = None, max_bytes: int = MAX_BYTES) -> bytes:
        """Fetch a document.

        Raises
        ------
        TransientError
            When the server stays unreachable or overloaded after all attempts.
        RemoteError
            When it refuses, redirects elsewhere, or sends more than `max_bytes`.
        """
        return self.send("GET", url, params=params, max_bytes=max_bytes).body

    def send(
        self,
        method: str,
        url: str,
        *,
        attempts: int | None = None,
        max_bytes: int = MAX_BYTES,
        **request: Any,
    ) -> Response:
        """Send a request, again after a pause where the failure may pass.

        Parameters
        ----------
        attempts
            Overrides the configured number; 1 for requests that must not be repeated blindly.
        **request
            ``params``, ``json``, ``data`` or ``files`` as `requests.Session.request` takes them.

        Raises
        ------
        HttpUnavailableError
            After the last attempt failed with a connection error, 429 or 5xx.
        HttpRefusedError
            On any other 4xx.
        RemoteError
            On a redirect to another host, a TLS failure or an answer over `max_bytes`.
        """
        import requests

        limit = attempts or self._network.attempts
        failure = HttpUnavailableError(f"{_bare(url)} was not reached", "")
        for attempt in range(1, limit + 1):
            wait = 0.0
            try:
                response = self._follow(method, url, max_bytes, request)
            except requests.exceptions.SSLError as error:
                raise RemoteError(
                    f"{_bare(url)}: the TLS certificate was not accepted ({_cause(error)})",
                    "if the server uses an in-house CA, name its file as network.ca_file",
                ) from None
            except requests.exceptions.RequestException as error:
                failure = HttpUnavailableError(
                    f"{_bare(url)} could not be reached ({_cause(error)}), tried {attempt} time(s)",
                    "check address, proxy and firewall; the next run tries again",
                )
            else:
                if response.status not in _RETRIED:
                    return _accepted(response)
                wait = _retry_after(response.headers)
                failure = HttpUnavailableError(
                    f"{_bare(url)} answered HTTP {response.status} ({response.excerpt(120)}), tried {attempt} time(s)",
                    "the server is busy or broken; look at its log. The next run tries again",
                    response.status,
                    wait,
                )
                if wait > LONGEST_PAUSE_SECONDS:
                    break
            if attempt < limit:
                # Full jitter, so that many clients of a recovering server do not return at once.
                self._pause(wait or random.uniform(0.5, 1.0) * min(60.0, 2.0**attempt))  # noqa: S311
        raise failure

    def _follow(self, method: str, url: str, max_bytes: int, request: Mapping[str, Any]) -> Response:
        parameters = dict(request)
        for _ in range(MAX_REDIRECTS + 1):
            response = self._once(method, url, max_bytes, parameters)
            location = response.headers.get("Location", "")
            if response.status not in _REDIRECTS or not location:
                return response
            target = _joined(url, location)
            if not _same_server(url, target):
                raise RemoteError(
                    f"{_bare(url)} redirects to {_bare(target)}, which is not followed",
                    "if that is the right server, configure its address",
                )
            if method != "GET":
                raise RemoteError(
                    f"{_bare(url)} redirects a {method} to {_bare(target)}", "configure that address instead"
                )
            url = target
            parameters.pop("params", None)
        raise RemoteError(f"{_bare(url)} redirects in circles", "check the address")

    def _once(self, method: str, url: str, max_bytes: int, request: Mapping[str, Any]) -> Response:
        self.requests_sent += 1
        with self._open(method, url, request) as answer:
            body = bytearray()
            for chunk in answer.iter_content(_CHUNK):
                body += chunk
                if len(body) > max_bytes:
                    raise RemoteError(
                        f"{_bare(url)} sends more than {max_bytes:,} bytes", "this is not the document meant"
                    )
            return Response(answer.status_code, answer.headers, bytes(body), _bare(url), self._hidden)

    @contextmanager
    def _open(self, method: str, url: str, request: Mapping[str, Any]) -> Iterator[requests.Response]:
        import requests

        timeout = (min(30.0, self._network.timeout_seconds), self._network.timeout_seconds)
        session = self._session or self._connect()
        own = self._network.proxy
        try:
            proxies = {"http": own, "https": own} if own else requests.utils.get_environ_proxies(url)
            answer = session.request(
                method, url, timeout=timeout, proxies=proxies, stream=True, allow_redirects=False, **request
            )
        except (ValueError, OSError) as error:
            if isinstance(error, requests.exceptions.RequestException) and not isinstance(error, ValueError):
                raise
            raise ConfigError(
                f"{_bare(url)} cannot be requested: {_cause(error)}", "check URL and network.ca_file"
            ) from None
        with answer:
            yield answer

    def _connect(self) -> requests.Session:
        import requests

        session = requests.Session()
        session.headers.update({"User-Agent": f"MedDojo/{__version__}", **self._headers})
        session.verify = self._network.ca_file or os.environ.get("REQUESTS_CA_BUNDLE") or True
        # With trust_env, a .netrc would replace our Authorization header.
        session.trust_env = False
        # Redirects are followed here; requests, even when told not to, would read their bodies without a limit.
        session.get_redirect_target = lambda resp: None  # type: ignore[method-assign]
        self._session = session
        return session


def _accepted(response: Response) -> Response:
    if response.status < 400:
        return response
    raise HttpRefusedError(
        f"{response.url} answered HTTP {response.status}: {response.excerpt()}",
        "the request will not succeed as it is; see the server's answer",
        response,
    )


def _retry_after(headers: Mapping[str, str]) -> float:
    """Seconds of a ``Retry-After`` header, in either form (RFC 9110, 10.2.3); 0 when absent or unreadable."""
    text = headers.get("Retry-After", "").strip()
    if text.isascii() and text.isdigit():
        return float(text)
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return 0.0
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return max(0.0, (moment - datetime.now(UTC)).total_seconds())


def _joined(url: str, location: str) -> str:
    """Where a redirect leads to."""
    try:
        target = urljoin(url, location)
        if urlsplit(target).hostname and urlsplit(target).port != 0:
            return target
    except ValueError:
        pass
    raise RemoteError(f"{_bare(url)} redirects to something that is no address", "tell whoever runs that server")


def _same_server(url: str, target: str) -> bool:
    """Whether a redirect stays with the host and port that were configured; a step up to https counts as staying."""
    old, new = urlsplit(url), urlsplit(target)
    ports = [parts.port or _DEFAULT_PORTS.get(parts.scheme) for parts in (old, new)]
    step_up = (old.scheme, new.scheme, *ports) == ("http", "https", 80, 443)
    return old.hostname == new.hostname and (step_up or (old.scheme == new.scheme and ports[0] == ports[1]))


def _bare(url: str) -> str:
    """The URL without user, password, query or fragment: what may appear in a log."""
    try:
        parts = urlsplit(url)
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        return "a URL that cannot be read"
    return f"{parts.scheme}://{parts.hostname or ''}{port}{parts.path}"


def _cause(error: BaseException) -> str:
    """Innermost reason of a failed request, free of URLs and headers."""
    import requests

    if isinstance(error, requests.exceptions.ConnectTimeout):
        return "no connection within the time-out"
    if isinstance(error, requests.exceptions.Timeout):
        return "no answer within the time-out"
    seen: BaseException = error
    for _ in range(8):
        inner = getattr(seen, "reason", None) or seen.__cause__ or seen.__context__
        if not isinstance(inner, BaseException):
            break
        seen = inner
    return getattr(seen, "strerror", None) or type(seen).__name__
