"""Small pieces beside a large one, and when to drop them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from imaging.segmentation.outline import Outline, chosen, load_outline, of_all, save_outline
from meddojo.errors import InputError


def _probabilities() -> np.ndarray:
    found = np.zeros((4, 12, 12), dtype=np.float32)
    found[1, 1:6, 1:5], found[2, 8:10, 8:11], found[3, 0, 11] = 0.9, 0.8, 0.7  # 20, 6 and 1 voxels
    return found


@pytest.mark.parametrize(("share", "voxels"), [(0.0, 27), (0.05, 27), (0.06, 26), (0.3, 26), (0.31, 20), (1.0, 20)])
def test_pieces_below_a_share_of_the_largest_go(share: float, voxels: int) -> None:
    assert Outline(share)(_probabilities()).sum() == voxels
    assert not Outline(share)(np.zeros((2, 3, 3), dtype=np.float32)).any()


def test_they_are_dropped_where_that_pays_on_other_cases() -> None:
    found, truth = _probabilities(), np.zeros((4, 12, 12), dtype=np.bool_)
    truth[1, 1:6, 1:5] = True
    assert chosen([(found, truth)] * 2) == Outline(0.5)
    assert chosen([(found, found > 0.5)]) == chosen([]) == Outline(0.0)


def test_it_comes_back_from_disk_and_an_ensemble_takes_the_median(tmp_path: Path) -> None:
    assert load_outline(tmp_path) == Outline()
    save_outline(tmp_path, Outline(0.2))
    assert load_outline(tmp_path) == Outline(0.2)
    assert of_all([Outline(0.0), Outline(0.2), Outline(1.0)]) == Outline(0.2)


@pytest.mark.parametrize("content", ["[]", "{", '{"kept_share": 2}', '{"kept_share": "1"}', '{"other": 1}'])
def test_a_damaged_file_is_told(tmp_path: Path, content: str) -> None:
    (tmp_path / "outline.json").write_text(content)
    with pytest.raises(InputError, match=r"outline\.json"):
        load_outline(tmp_path)
