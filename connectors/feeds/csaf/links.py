"""Links in what a provider publishes: where they lead, and whether they are followed."""

from __future__ import annotations

from urllib.parse import unquote, urljoin, urlsplit

from connectors.feeds.source import fetch
from connectors.http import PoliteSession
from connectors.json_object import JsonObject
from connectors.reading import parse_json
from meddojo.errors import InputError


def load(session: PoliteSession, url: str) -> JsonObject:
    """Fetch a JSON object.

    Raises
    ------
    MeddojoError
        If it cannot be fetched or is none.
    """
    return JsonObject.of(parse_json(fetch(session, url), url), url)


def joined(base: str, address: str) -> str:
    """The address a link leads to; empty when it is none."""
    try:
        return urljoin(base, address) if address else ""
    except ValueError:
        return ""


def below(base: str, name: str) -> str:
    """The URL of a path in an index; empty unless it stays below the index."""
    parts = unquote(name).replace("\\", "/").split("/")
    if ".." in parts or ":" in parts[0] or not parts[0]:
        return ""
    url = joined(base, name)
    return url if url.startswith(base) else ""


def permitted(home: str, url: str) -> str:
    """Return `url` if it is https, wherever it leads, or plain http on the host that was configured.

    Raises
    ------
    InputError
        If it is neither (CSAF 2.0, section 7.1.3 demands TLS).
    """
    try:
        target, own = urlsplit(url), urlsplit(home)
        plausible = bool(target.hostname) and target.port != 0
    except ValueError:
        plausible = False
    if not plausible or (target.scheme != "https" and (target.scheme, target.netloc) != (own.scheme, own.netloc)):
        raise InputError(home, "", f"links to {url[:120]!r}, which is not fetched", "only https links are followed")
    return url
