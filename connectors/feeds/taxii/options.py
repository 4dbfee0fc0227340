"""``[feeds.taxii.options]``: which collections, and how the server is told who asks."""

from __future__ import annotations

import base64
import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from meddojo.errors import ConfigError

LARGEST_PAGE = 10_000
USUAL_PAGE = 1000
_SCHEMES = {"basic": "Basic", "token": "Token", "bearer": "Bearer"}
_KNOWN = ("authentication", "collections", "page_size", "user")


@dataclass(frozen=True, slots=True)
class TaxiiOptions:
    """How a TAXII server is asked.

    Attributes
    ----------
    collections
        Titles, ids or aliases of the collections to read; empty means all that may be read.
    page_size
        Objects an answer; servers may send fewer.
    """

    collections: tuple[str, ...] = ()
    page_size: int = USUAL_PAGE


def read_options(options: Mapping[str, Any]) -> TaxiiOptions:
    """Read the table.

    Raises
    ------
    ConfigError
        On an unknown name (naming the nearest one) or a bad value.
    """
    for name in options:
        if name not in _KNOWN:
            near = difflib.get_close_matches(name, _KNOWN, n=1, cutoff=0.4)
            hint = f"did you mean {near[0]!r}?" if near else f"known: {', '.join(_KNOWN)}"
            raise ConfigError(f"feeds.taxii.options has no {name!r}", hint)
    collections = options.get("collections", ())
    if isinstance(collections, str):  # an environment variable
        collections = [part.strip() for part in collections.split(",") if part.strip()]
    if not isinstance(collections, list | tuple) or not all(isinstance(each, str) for each in collections):
        raise ConfigError(
            "feeds.taxii.options.collections is not a list of texts", "write titles or ids of collections"
        )
    return TaxiiOptions(tuple(collections), _page_size(options.get("page_size", USUAL_PAGE)))


def authorization(options: Mapping[str, Any], secret: str) -> dict[str, str]:
    """The header that tells the server who asks; empty without credentials.

    Parameters
    ----------
    options
        ``user`` (with the password as `secret`) makes it HTTP Basic; else ``authentication`` says what kind of token
        `secret` is: ``token`` (the default) or ``bearer``.

    Raises
    ------
    ConfigError
        If the options do not fit together, or the credentials cannot be sent.
    """
    user = options.get("user", "")
    scheme = str(options.get("authentication") or ("basic" if user else "token")).lower()
    if scheme not in _SCHEMES:
        raise ConfigError(f"feeds.taxii.options.authentication is {scheme[:40]!r}", f"use one of {', '.join(_SCHEMES)}")
    if not isinstance(user, str) or (scheme == "basic") != bool(user):
        hint = "basic authentication takes a user, and its password as api_key; a token stands alone"
        raise ConfigError("feeds.taxii.options: user and authentication do not fit together", hint)
    if not secret:
        if user:
            raise ConfigError("feeds.taxii has a user but no password", "put it into MEDDOJO_FEEDS__TAXII__API_KEY")
        return {}
    words = base64.b64encode(f"{user}:{secret}".encode()).decode() if scheme == "basic" else secret.strip()
    if not words.isascii() or not words.isprintable() or " " in words:
        raise ConfigError("feeds.taxii.api_key holds characters no token has", "copy it again")
    return {"Authorization": f"{_SCHEMES[scheme]} {words}"}


def _page_size(value: Any) -> int:
    text = "" if isinstance(value, bool) else str(value)
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= LARGEST_PAGE:
        raise ConfigError(
            f"feeds.taxii.options.page_size is {str(value)[:40]!r}", f"a whole number from 1 to {LARGEST_PAGE:,}"
        )
    return int(text)
