"""The words of a dependency picture."""

from __future__ import annotations

import pytest

from meddojo.dependency_picture import DependencyPicture, PictureEdge, PictureNode, PictureVulnerability
from meddojo.severity import Severity


def test_a_node_is_as_severe_as_its_worst_vulnerability() -> None:
    flaws = tuple(PictureVulnerability(f"CVE-{each}", each) for each in (Severity.LOW, Severity.HIGH, Severity.INFO))
    assert PictureNode("a", "a", vulnerabilities=flaws).severity is Severity.HIGH
    assert PictureNode("a", "a").severity is None
    assert PictureNode("a", "openssl", "3.0").label == "openssl 3.0"
    assert PictureNode("a", "openssl").label == "openssl"


@pytest.mark.parametrize(
    ("edges", "root", "message"),
    [((PictureEdge(0, 2),), 0, "edge 0 to 2"), ((PictureEdge(-1, 0),), 0, "edge -1 to 0"), ((), 2, "root 2")],
)
def test_positions_are_those_of_nodes(edges: tuple[PictureEdge, ...], root: int, message: str) -> None:
    nodes = (PictureNode("a", "a"), PictureNode("b", "b"))
    with pytest.raises(ValueError, match=message):
        DependencyPicture("device", nodes, edges, root)
