"""A TAXII 2.1 server, asked through ``taxii2client``'s endpoints but over our own polite session.

Sections are those of OASIS *TAXII Version 2.1*.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar
from urllib.parse import urlsplit

from connectors.http import HttpRefusedError, PoliteSession
from connectors.json_object import JsonObject
from connectors.reading import MEBIBYTE, parse_instant, parse_json
from meddojo.errors import ConfigError, MeddojoError, RemoteError, TransientError
from meddojo.interface import Skipped

MAX_PAGE_BYTES = 256 * MEBIBYTE
MEDIA_TYPE = "application/taxii+json"
_EMPTY_PAGES = 3

T = TypeVar("T")


class Connection:
    """What the endpoints of ``taxii2client`` ask through; it keeps the last answer's ``X-TAXII-Date-Added-Last``."""

    def __init__(self, session: PoliteSession) -> None:
        self._session = session
        self.added_last: datetime | None = None

    def get(self, url: str, headers: Mapping[str, str] | None = None, params: Mapping[str, Any] | None = None) -> Any:
        """Ask for one resource, as a mapping.

        Raises
        ------
        MeddojoError
            If it cannot be fetched, or is not one of TAXII 2.1.
        """
        accept = dict(headers or {"Accept": f"{MEDIA_TYPE};version=2.1"})
        try:
            answer = self._session.send("GET", url, headers=accept, params=params, max_bytes=MAX_PAGE_BYTES)
        except HttpRefusedError as error:
            raise _refusal(error, paging=bool(params and params.get("next"))) from None
        kind = answer.headers.get("Content-Type", "").split(";")[0].strip().lower()
        if kind != MEDIA_TYPE:
            raise RemoteError(
                f"{answer.url} answered with {kind[:60] or 'no content type'} where TAXII 2.1 was expected",
                "check the address; that of a discovery resource mostly ends in /taxii2/",
            )
        self.added_last = parse_instant(answer.headers.get("X-TAXII-Date-Added-Last", ""))
        return JsonObject.of(parse_json(answer.body, answer.url), answer.url).value

    def close(self) -> None:
        """Nothing to give back: the session outlives the endpoints."""


@dataclass(frozen=True, slots=True)
class Page:
    """One answer of a collection (section 5.4).

    Attributes
    ----------
    envelope
        The TAXII envelope (section 3.7).
    resume
        ``added_after`` with which nothing is lost from here on; empty when the server did not say.
    """

    envelope: JsonObject
    resume: str


def collections(url: str, session: PoliteSession, wanted: Sequence[str]) -> Iterator[Any]:
    """Discover the collections (sections 4.1, 4.2 and 5.1) to read.

    Parameters
    ----------
    url
        Discovery resource or API root.
    wanted
        Titles, ids or aliases; empty means all that may be read.

    Yields
    ------
    taxii2client.v21.Collection, or Skipped
        An API root that cannot be read is skipped where all collections are wanted.

    Raises
    ------
    ConfigError
        If a wanted collection does not exist.
    RemoteError
        If it may not be read, or the server is none of TAXII 2.1.
    """
    found: dict[str, Any] = {}
    missed: list[tuple[str, RemoteError]] = []
    for address in _api_roots(url, session):
        try:
            found |= {each.url: each for each in _collections_of(url, address, session)}
        except RemoteError as error:
            missed.append((address, error))
    if missed and not found:
        raise missed[0][1]
    readable = {address: each for address, each in found.items() if each.can_read is True}
    if wanted:
        chosen = {each.url: each for name in wanted for each in _named(url, name, found, readable)}
        yield from chosen.values()
        return
    if not readable:
        raise RemoteError(f"{url}: no collection may be read", "ask whoever runs the server for the right to read")
    yield from (Skipped(address, f"{error.message}; or list options.collections") for address, error in missed)
    yield from readable.values()


def pages(collection: Any, since: str, page_size: int) -> Iterator[Page]:
    """Read a collection page by page (section 3.4), oldest additions first.

    Parameters
    ----------
    since
        ``added_after``; empty reads everything.

    Raises
    ------
    TransientError
        If the server goes away in the middle: the next update goes on from the last page's `Page.resume`.
    RemoteError
        If its paging leads nowhere.
    """
    connection: Connection = collection._conn
    after, token, empty = since, "", 0
    while True:
        envelope = _told(collection.get_objects, collection.url, added_after=after, limit=page_size, next=token)
        page = JsonObject.of(envelope, collection.url)
        last, more = connection.added_last, page.flag("more")
        yield Page(page, _resume(last, more))
        if not more:
            return
        empty = 0 if page.value.get("objects") else empty + 1
        token, before = page.text("next"), after
        if not token:
            # Section 3.4.1: go on behind the last addition; just before it, as several may bear the same time.
            after = _resume(last, more)
        if empty >= _EMPTY_PAGES or (not token and after <= before):
            raise RemoteError(
                f"{collection.url}: the server says there is more, but its pages lead nowhere",
                "raise options.page_size, and tell whoever runs the server",
            )


def _api_roots(url: str, session: PoliteSession) -> list[str]:
    from taxii2client.v21 import Server

    server = Server(url, conn=Connection(session))
    roots = [root.url for root in _told(lambda: server.api_roots, url)]
    # An API root answers to what a discovery resource is asked, and knows the versions it speaks.
    return roots or ([url] if "versions" in server.custom_properties else [])


def _collections_of(url: str, root: str, session: PoliteSession) -> list[Any]:
    from taxii2client.v21 import ApiRoot

    if _place(root) != _place(url):
        # Our password is meant for the server that is configured.
        raise RemoteError(
            f"{url} names an API root on another server, {root}",
            "if that is right, give that API root a feed section of its own",
        )
    found: list[Any] = _told(lambda: ApiRoot(root, conn=Connection(session)).collections, root)
    return found


def _named(url: str, name: str, found: Mapping[str, Any], readable: Mapping[str, Any]) -> list[Any]:
    named = [each for each in found.values() if name in (each.id, each.title, each.alias)]
    if not named:
        titles = [str(each.title) for each in found.values()]
        near = difflib.get_close_matches(name, titles, n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"there are: {', '.join(titles[:20]) or 'none'}"
        raise ConfigError(f"{url} has no collection {name[:80]!r}", hint)
    chosen = [each for each in named if each.url in readable]
    if not chosen:
        raise RemoteError(f"{url}: the collection {name[:80]!r} may not be read", "ask for the right to read it")
    return chosen


def _told(ask: Callable[..., T], url: str, **arguments: Any) -> T:
    """What the library returns; whatever an odd answer makes it raise becomes one clear error."""
    from taxii2client.exceptions import TAXIIServiceException

    try:
        return ask(**arguments)
    except MeddojoError:
        raise
    except (TAXIIServiceException, AttributeError, KeyError, TypeError, ValueError) as error:
        raise RemoteError(
            f"{url} does not answer as a TAXII 2.1 server does ({type(error).__name__}: {str(error)[:200]})",
            "check the address, or tell whoever runs the server",
        ) from None


def _refusal(error: HttpRefusedError, *, paging: bool) -> MeddojoError:
    if error.status in (401, 403):
        return RemoteError(
            f"{error.response.url} refused the credentials (HTTP {error.status})",
            "check options.user, and the password or token in api_key",
        )
    if paging:
        return TransientError(error.message, "the page is no longer kept; the next run goes on from the last one read")
    if error.status == 406:
        return RemoteError(error.message, "the server does not speak TAXII 2.1")
    return error


def _resume(last: datetime | None, more: bool) -> str:
    """Where to go on: behind the last addition at the end, just before it in the middle of additions of one time."""
    try:
        moment = last and last - timedelta(microseconds=int(more))
    except OverflowError:
        return ""
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z" if moment else ""


def _place(url: str) -> tuple[str, str | None, int | None]:
    try:
        parts = urlsplit(url)
        return parts.scheme, parts.hostname, parts.port
    except ValueError:
        raise RemoteError(f"{url[:200]!r} is no web address", "tell whoever runs the server") from None
