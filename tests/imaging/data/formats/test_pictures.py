"""Pictures: what grey becomes, and colours, bombs and mixed sizes refused."""

from __future__ import annotations

import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from imaging.data.formats.pictures import read_pictures
from meddojo.errors import InputError

Image = pytest.importorskip("PIL.Image")

_SPACING = (4.0, 2.0, 3.0)


def _saved(path: Path, values: np.ndarray[Any, Any], **options: Any) -> Path:
    Image.fromarray(values).save(path, **options)
    return path


def test_black_and_white_are_the_bounds(tmp_path: Path) -> None:
    values = np.array([[0, 51, 255], [102, 204, 153]], np.uint8)
    volume = read_pictures(_saved(tmp_path / "a.png", values), _SPACING, 0.0, 15.0)
    assert volume.values[0] == pytest.approx(np.array([[0, 3, 15], [6, 12, 9]]))
    assert volume.grid.shape == (1, 2, 3) and volume.grid.spacing_mm == _SPACING
    assert "no measurement" in volume.notes[0]


def test_sixteen_bits_are_kept(tmp_path: Path) -> None:
    values = np.array([[0, 1, 65_535]], np.uint16)
    found = read_pictures(_saved(tmp_path / "a.png", values), _SPACING, -160.0, 240.0).values
    assert found[0, 0] == pytest.approx([-160, -160 + 400 / 65_535, 240])


def test_slices_are_in_the_order_of_their_numbers(tmp_path: Path) -> None:
    for number in (10, 9, 1):
        _saved(tmp_path / f"slice{number}.png", np.full((2, 2), number, np.uint8))
    assert (read_pictures(tmp_path, _SPACING, 0.0, 255.0).values[:, 0, 0].round() == [1, 9, 10]).all()


def test_jpeg_comes_near(tmp_path: Path) -> None:
    rows = np.linspace(0, 255, 32)
    values = np.tile(rows, (32, 1)).astype(np.uint8)
    found = read_pictures(_saved(tmp_path / "a.jpg", values, quality=95), _SPACING, 0.0, 255.0).values
    assert np.abs(found[0] - values).max() < 4


def test_grey_in_three_channels_is_grey(tmp_path: Path) -> None:
    values = np.random.default_rng(0).integers(0, 255, (4, 4, 1), np.uint8).repeat(3, axis=2)
    found = read_pictures(_saved(tmp_path / "a.png", values), _SPACING, 0.0, 255.0).values
    assert found[0] == pytest.approx(values[..., 0], abs=1e-4)


def test_a_picture_that_says_it_lies_is_put_upright(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # turn clockwise to look at it
    values = np.zeros((8, 16), np.uint8)
    values[:, :8] = 255
    found = read_pictures(_saved(tmp_path / "a.jpg", values, exif=exif, quality=95), _SPACING, 0.0, 1.0).values[0]
    assert found.shape == (16, 8) and found[:8].min() > 0.9 and found[8:].max() < 0.1


def _bomb(path: Path) -> None:
    """A few kilobytes that unpack to 60,000 x 60,000 pixels."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return len(content).to_bytes(4, "big") + kind + content + zlib.crc32(kind + content).to_bytes(4, "big")

    side = (60_000).to_bytes(4, "big")
    header = chunk(b"IHDR", side + side + b"\x08\0\0\0\0")
    path.write_bytes(
        b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(b"\0" * 1_000_000)) + chunk(b"IEND", b"")
    )


def _wide(path: Path) -> None:
    _saved(path, np.zeros((1, 5000), np.uint8))


def _colour(path: Path) -> None:
    _saved(path, np.array([[[255, 0, 0]]], np.uint8))


def _transparent(path: Path) -> None:
    _saved(path, np.array([[[9, 9, 9, 0]]], np.uint8))


def _floats(path: Path) -> None:
    path.write_bytes(b"not a picture at all")


def _gif(path: Path) -> None:
    Image.fromarray(np.zeros((2, 2), np.uint8)).save(path, format="GIF")


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (_bomb, "damaged|more than 4096"),
        (_wide, "5000 x 1, more than 4096"),
        (_colour, "is in colour"),
        (_transparent, "is transparent"),
        (_floats, "damaged"),
        (_gif, "damaged"),
    ],
)
def test_what_is_no_slice_is_refused(tmp_path: Path, make: Any, told: str) -> None:
    make(tmp_path / "a.png")
    with pytest.raises(InputError, match=told) as refused:
        read_pictures(tmp_path / "a.png", _SPACING, 0.0, 1.0)
    assert refused.value.origin == str(tmp_path / "a.png")


def test_slices_of_two_sizes_are_refused(tmp_path: Path) -> None:
    _saved(tmp_path / "1.png", np.zeros((2, 2), np.uint8))
    _saved(tmp_path / "2.png", np.zeros((2, 3), np.uint8))
    with pytest.raises(InputError, match=r"is \(2, 3\), that of 1.png \(2, 2\)"):
        read_pictures(tmp_path, _SPACING, 0.0, 1.0)
    (tmp_path / "2.png").unlink()
    (tmp_path / "notes.txt").write_text("x")
    with pytest.raises(InputError, match=r"notes.txt: is neither"):
        read_pictures(tmp_path, _SPACING, 0.0, 1.0)


@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data(), suffix=st.sampled_from(["png", "jpg"]))
def test_whatever_bytes_are_flipped_it_is_a_picture_or_one_error(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject, suffix: str
) -> None:
    path = tmp_path_factory.mktemp("pictures") / f"a.{suffix}"
    content = bytearray(_saved(path, np.arange(64, dtype=np.uint8).reshape(8, 8)).read_bytes())
    for place in data.draw(st.lists(st.integers(0, len(content) - 1), max_size=6)):
        content[place] = data.draw(st.integers(0, 255))
    del content[data.draw(st.one_of(st.none(), st.integers(0, len(content)))) or len(content) :]
    path.write_bytes(content)
    try:
        volume = read_pictures(path, _SPACING, 0.0, 1.0)
    except InputError as error:
        assert error.origin == str(path)
    else:
        assert 0.0 <= volume.values.min() <= volume.values.max() <= 1.0
