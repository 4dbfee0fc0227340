"""What the models read of a component: nothing that only one ecosystem or only one release has."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from analyzers.sbom_graph.forecast.graph import Floats, Graph
from analyzers.sbom_graph.forecast.history import History

if TYPE_CHECKING:
    import scipy.sparse

HISTORY = ("CVEs ever", "CVEs last year", "CVEs last two years", "recency of the last CVE", "has a CVE")
NAME = ("name: reads input", "name: network", "name: inert")
POSITION = ("dependents", "dependencies", "PageRank", "depth", "height", "rank of dependents", "rank of PageRank")
_SUMMED = ("CVEs ever", "CVEs last year", "has a CVE")
NEIGHBOURS = tuple(
    f"{side}: {how} {name}"
    for side in ("dependencies", "dependents")
    for how in ("mean", "highest")
    for name in _SUMMED
)
OWN = HISTORY + NAME
PLAIN = OWN + POSITION
ALL = PLAIN + NEIGHBOURS

_HALF_LIFE = 365.0
_WORDS = re.compile(r"[a-z]+")
_INPUT = frozenset(
    "xml json yaml html css pdf image img png jpeg jpg tiff gif webp svg exif video audio codec mpeg media font ttf zip"
    " tar archive compress gzip lz rar parser parse markdown template asn1 protobuf serializer pickle crypt crypto"
    " image magick raw exr heif jp2 sound play player viewer reader office doc mail mime smime pgp regex".split()
)
_NETWORK = frozenset(
    "http https ssl tls ssh ftp dns smtp imap ldap vpn proxy server httpd client net network web socket rpc mqtt oauth"
    " auth jwt saml kerberos radius bluetooth bluez wifi wireless tcp udp sip rtp snmp ntp samba nfs curl browser chat"
    " cgi ajax rest gateway router cluster database sql login session".split()
)
_INERT = frozenset(
    "fonts theme themes icon icons data locale locales lang i18n l10n dictionary hunspell doc docs manual sample"
    " samples example examples test tests testing mock fixture lint eslint wallpaper artwork sounds textures maps"
    " task meta common defaults types typing".split()
)


def matrix(graph: Graph, names: Sequence[str], histories: Sequence[History]) -> Floats:
    """Every feature of every component, shape (n, len(`ALL`)), in the order of `ALL`."""
    own = _history(histories)
    return np.hstack([own, _names(names), _position(graph), _neighbours(graph, own)]).astype(np.float32)


def columns(chosen: Sequence[str]) -> list[int]:
    """Places of features in the matrix."""
    return [ALL.index(name) for name in chosen]


def _history(histories: Sequence[History]) -> Floats:
    counts = np.array([(each.total, each.last_year, each.last_two_years) for each in histories], dtype=np.float64)
    recency = [
        0.0 if each.days_since_last is None else 0.5 ** (each.days_since_last / _HALF_LIFE) for each in histories
    ]
    counts = counts.reshape(-1, 3)
    return np.column_stack([np.log1p(counts), np.array(recency), counts[:, 0] > 0])


def _names(names: Sequence[str]) -> Floats:
    """Whether a name tells that its component reads files, talks to others, or does nothing at all."""
    found = np.zeros((len(names), len(NAME)))
    for row, name in enumerate(names):
        words = set(_WORDS.findall(name.lower()))
        words |= {word.removeprefix("lib") for word in words}
        for column, table in enumerate((_INPUT, _NETWORK, _INERT)):
            found[row, column] = not words.isdisjoint(table)
    return found


def _position(graph: Graph) -> Floats:
    dependents = np.asarray(graph.needs.sum(axis=0)).ravel()
    dependencies = np.asarray(graph.needs.sum(axis=1)).ravel()
    rank = graph.pagerank()
    return np.column_stack(
        [
            np.log1p(dependents),
            np.log1p(dependencies),
            np.log(rank),
            np.log1p(graph.depth()),
            np.log1p(graph.height()),
            quantiles(dependents),
            quantiles(rank),
        ]
    )


def quantiles(values: Floats) -> Floats:
    """Share of the values that are lower, ties counting half."""
    ordered = np.sort(values)
    low, high = np.searchsorted(ordered, values, "left"), np.searchsorted(ordered, values, "right")
    return (low + high) / (2.0 * max(1, len(values)))


def _neighbours(graph: Graph, own: Floats) -> Floats:
    values = own[:, [HISTORY.index(name) for name in _SUMMED]]
    found = []
    for mean, edges in zip(graph.means, (graph.needs, graph.needed_by), strict=True):
        found.append(mean @ values)
        found.append(np.column_stack([_highest(edges, column) for column in values.T]))
    return np.hstack(found)


def _highest(edges: scipy.sparse.csr_matrix, values: Floats) -> Floats:
    """Highest value among the neighbours of each component; 0 without any. Values are not negative."""
    return np.asarray(edges.multiply(values).max(axis=1).todense()).ravel()
