"""The dependency graph as sparse matrices, and where each component stands in it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from meddojo.sbom import DependencyKind, Sbom

if TYPE_CHECKING:
    import scipy.sparse

Floats = npt.NDArray[np.floating[Any]]
Integers = npt.NDArray[np.integer[Any]]

DAMPING = 0.85
_ROUNDS = 100
_PRECISE = 1e-10
_COUNTED = (DependencyKind.RUNTIME, DependencyKind.OPTIONAL)


@dataclass(frozen=True)
class Graph:
    """Who needs whom.

    Attributes
    ----------
    refs
        Components, n of them.
    needs
        Shape (n, n): 1 where the component of the row needs the component of the column.
    """

    refs: tuple[str, ...]
    needs: scipy.sparse.csr_matrix

    @classmethod
    def of(cls, refs: Sequence[str], edges: Iterable[tuple[str, str]]) -> Graph:
        """Build it; edges that are doubled, loops, or lead elsewhere do not count."""
        import scipy.sparse

        place = {ref: number for number, ref in enumerate(dict.fromkeys(refs))}
        pairs = sorted({(place[a], place[b]) for a, b in edges if a in place and b in place and a != b})
        rows, columns = np.array(pairs, dtype=np.int64).reshape(-1, 2).T
        shape = (len(place), len(place))
        matrix = scipy.sparse.csr_matrix((np.ones(len(rows), dtype=np.float32), (rows, columns)), shape=shape)
        return cls(tuple(place), matrix)

    @classmethod
    def of_sbom(cls, sbom: Sbom) -> Graph:
        """Components of an SBOM with what they need at work; what the SBOM describes is none of them."""
        refs = [each.ref for each in sbom.components if each.ref != sbom.root]
        return cls.of(refs, ((a, b) for a, b, kind in sbom.dependencies if kind in _COUNTED))

    def __len__(self) -> int:
        return len(self.refs)

    @cached_property
    def needed_by(self) -> scipy.sparse.csr_matrix:
        """The edges turned round."""
        return self.needs.T.tocsr()

    @cached_property
    def means(self) -> tuple[scipy.sparse.csr_matrix, scipy.sparse.csr_matrix]:
        """Matrices that take the mean over a component's dependencies, and over its dependents."""
        return _rows_to_one(self.needs), _rows_to_one(self.needed_by)

    def pagerank(self) -> Floats:
        """PageRank (Page et al. 1999) along the dependencies, n times as large: 1 is the average.

        What a component without dependencies has goes to everybody.
        """
        size = len(self)
        if not size:
            return np.zeros(0)
        along = self.means[0].T.tocsr().astype(np.float64)
        ends = np.asarray(self.needs.sum(axis=1)).ravel() == 0
        rank = np.ones(size)
        for _ in range(_ROUNDS):
            after = (1 - DAMPING) + DAMPING * (along @ rank + rank[ends].sum() / size)
            if np.abs(after - rank).sum() < _PRECISE * size:
                break
            rank = after
        return rank

    def depth(self) -> Integers:
        """Steps from the nearest component that nobody needs; of a cycle nobody enters, 0."""
        return _steps(self.needs, np.asarray(self.needs.sum(axis=0)).ravel() == 0)

    def height(self) -> Integers:
        """Steps to the nearest component that needs nobody; of a cycle nobody leaves, 0."""
        return _steps(self.needed_by, np.asarray(self.needs.sum(axis=1)).ravel() == 0)


def _steps(edges: scipy.sparse.csr_matrix, start: npt.NDArray[np.bool_]) -> Integers:
    return np.maximum(_reached(edges, np.flatnonzero(start)), 0)


def _reached(edges: scipy.sparse.csr_matrix, start: Integers) -> Integers:
    """Breadth first: steps to each component, -1 where none lead."""
    found = np.full(edges.shape[0], -1, dtype=np.int64)
    found[start] = 0
    front, step = start, 0
    while len(front):
        step += 1
        neighbours = np.unique(edges[front].indices)
        front = neighbours[found[neighbours] < 0]
        found[front] = step
    return found


def _rows_to_one(matrix: scipy.sparse.csr_matrix) -> scipy.sparse.csr_matrix:
    import scipy.sparse

    sums = np.asarray(matrix.sum(axis=1)).ravel()
    return (scipy.sparse.diags(1.0 / np.maximum(sums, 1.0)) @ matrix).tocsr().astype(np.float32)
