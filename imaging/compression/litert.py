"""A ``.tflite`` network at work with LiteRT: no TensorFlow, 58 MB instead of two gigabytes.

The file is read within a bound and looked at before LiteRT sees it; LiteRT itself verifies the flatbuffer, and the
network must be one image in, one image of probabilities out, of plain sizes.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from imaging.compression.windows import LARGEST, Window, images_of, in_windows
from imaging.data.cases import Case, Floats
from imaging.networks.config import NetworkConfig
from imaging.networks.files import read_whole
from meddojo.errors import ConfigError, InputError

IDENTIFIER = b"TFL3"
"""Bytes 4 to 8 of every ``.tflite`` file (the file identifier of its flatbuffer schema)."""
_MAX_BYTES = 256 * 2**20
_MAX_CHANNELS = 256
_KERNELS = {"CONV_2D", "TRANSPOSE_CONV", "DEPTHWISE_CONV_2D"}
_TYPES: tuple[type[np.generic], ...] = (np.float32, np.int8)


@dataclass(frozen=True, slots=True)
class Scale:
    """What the whole numbers at an edge of the network mean: ``value = scale * (number - zero)``.

    Attributes
    ----------
    scale
        0 where the edge takes float32.
    """

    scale: float
    zero: int

    def whole(self, values: Floats) -> npt.NDArray[Any]:
        """As the network takes them."""
        if not self.scale:
            return values.astype(np.float32, copy=False)
        return np.asarray((np.rint(values / np.float32(self.scale)) + self.zero).clip(-128, 127), dtype=np.int8)

    def real(self, numbers: npt.NDArray[Any]) -> Floats:
        """What the network gave."""
        if not self.scale:
            return numbers.astype(np.float32)
        return (numbers.astype(np.float32) - np.float32(self.zero)) * np.float32(self.scale)


class LiteNetwork:
    """An opened ``.tflite`` file.

    Parameters
    ----------
    content
        Use this instead of the bytes of the file; `path` is what errors name.

    Raises
    ------
    ConfigError
        If LiteRT is not installed.
    InputError
        If the file is missing, damaged, or no network from one image to probabilities.
    """

    def __init__(self, path: Path, threads: int = 1, content: bytes | None = None) -> None:
        self._interpreter = _opened(path, read_whole(path, _MAX_BYTES) if content is None else content, threads)
        ends = (self._interpreter.get_input_details(), self._interpreter.get_output_details())
        if any(len(each) != 1 for each in ends):
            raise InputError(str(path), "", "has not one input and one output")
        (taken,), (given,) = ends
        for name, end in (("input", taken), ("output", given)):
            if len(end["shape"]) != 4 or end["shape"][0] != 1 or end["dtype"] not in _TYPES:
                raise InputError(
                    str(path),
                    name,
                    f"is {np.dtype(end['dtype'])} of shape {tuple(map(int, end['shape']))},"
                    " not one image of float32 or int8",
                )
        rows, columns, self.planes = map(int, taken["shape"][1:])
        self.classes = int(given["shape"][3])
        if tuple(given["shape"][1:3]) != (rows, columns) or max(rows, columns) > LARGEST:
            raise InputError(str(path), "output", "has other rows and columns than the input, or too many")
        if max(self.planes, self.classes) > _MAX_CHANNELS:
            raise InputError(str(path), "", f"has more than {_MAX_CHANNELS} channels at an end")
        self.rows, self.columns = rows, columns
        self._in, self._out = int(taken["index"]), int(given["index"])
        self.taken, self.given = _scale(path, taken), _scale(path, given)

    def __call__(self, images: Floats) -> Floats:
        """Probabilities of windows, one after the other.

        Parameters
        ----------
        images
            Shape (count, rows, columns, planes).

        Returns
        -------
        numpy.ndarray
            Shape (count, rows, columns, classes).
        """
        if images.shape[1:] != (self.rows, self.columns, self.planes):
            expected = (self.rows, self.columns, self.planes)
            raise ValueError(f"images of shape {images.shape[1:]}, the network reads {expected}")
        found = np.empty((*images.shape[:3], self.classes), dtype=np.float32)
        for number, image in enumerate(images):
            self._interpreter.set_tensor(self._in, self.taken.whole(image[None]))
            self._interpreter.invoke()
            found[number] = self.given.real(self._interpreter.get_tensor(self._out))[0]
        return found


def predict_litert(path: Path, config: NetworkConfig, case: Case, threads: int = 1) -> Floats:
    """Probability of a lesion at each voxel, as `imaging.segmentation.prediction.predict` gives it.

    Returns
    -------
    numpy.ndarray
        From 0 to 1, of the shape (slices, rows, columns).

    Raises
    ------
    ConfigError
        If LiteRT is not installed.
    InputError
        If the file is damaged or not of such a network.
    """
    return predict_with(opened_for(path, config, threads), config, case)


def opened_for(path: Path, config: NetworkConfig, threads: int = 1, content: bytes | None = None) -> LiteNetwork:
    """Open a file that has to be a network of a configuration.

    Raises
    ------
    ConfigError, InputError
        As `LiteNetwork`; and if it reads other planes or gives other classes than the configuration says.
    """
    network = LiteNetwork(path, threads, content)
    if (network.planes, network.classes) != (config.planes, config.classes):
        raise InputError(
            str(path),
            "",
            f"has {network.planes} planes and {network.classes} classes,"
            f" its configuration {config.planes} and {config.classes}",
        )
    if network.rows % config.multiple or network.columns % config.multiple:
        raise InputError(str(path), "", f"reads {network.rows} x {network.columns}, no multiples of {config.multiple}")
    return network


def predict_with(network: LiteNetwork, config: NetworkConfig, case: Case) -> Floats:
    """`predict_litert` with a network that is open already."""
    window = Window(network.rows, network.columns, config.multiple)
    return in_windows(images_of(case, config), window, network)[..., 0].clip(0.0, 1.0)


def kernel_zeros(path: Path, content: bytes | None = None) -> tuple[int, int]:
    """Count the weights of the convolutions that are zero.

    A weight of eight bits is zero where it equals the zero point of its channel.

    Returns
    -------
    tuple of int
        Zeros, and weights of all kernels.

    Raises
    ------
    ConfigError, InputError
        As `LiteNetwork`.
    """
    interpreter = _opened(path, read_whole(path, _MAX_BYTES) if content is None else content, 1, plain=True)
    tensors = {each["index"]: each for each in interpreter.get_tensor_details()}
    operations = interpreter._get_ops_details()  # the only way to tell kernels from other constants
    if any(each["op_name"] == "DENSIFY" for each in operations):
        interpreter.invoke()  # unfolds sparse kernels
    kernels = {int(each["inputs"][1]) for each in operations if each["op_name"] in _KERNELS}
    counts = [_zeros(interpreter.get_tensor(each), tensors[each]["quantization_parameters"]) for each in kernels]
    return sum(zeros for zeros, _ in counts), sum(weights for _, weights in counts)


def _opened(path: Path, content: bytes, threads: int, plain: bool = False) -> Any:
    """An interpreter with its memory allocated.

    Parameters
    ----------
    plain
        Without the faster kernels, which repack the weights.
    """
    if len(content) < 8 or content[4:8] != IDENTIFIER:
        raise InputError(str(path), "byte 4", f"is no .tflite file: {IDENTIFIER.decode()} is missing")
    try:
        from ai_edge_litert.interpreter import Interpreter, OpResolverType
    except ImportError as error:
        raise ConfigError(
            "running a .tflite network needs LiteRT, which is not here", "install it: pip install 'meddojo[imaging]'"
        ) from error
    resolver = OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES if plain else OpResolverType.AUTO
    try:
        interpreter = Interpreter(model_content=content, num_threads=threads, experimental_op_resolver_type=resolver)
        interpreter.allocate_tensors()
    except (ValueError, RuntimeError) as error:
        cause = " ".join(str(error).split())[:200]
        raise InputError(str(path), "", f"is no network LiteRT can run: {cause}") from error
    return interpreter


def _zeros(values: npt.NDArray[Any], quantization: Any) -> tuple[int, int]:
    points = np.asarray(quantization["zero_points"])
    shape = [1] * values.ndim
    if len(points) > 1:
        shape[int(quantization["quantized_dimension"])] = len(points)
    zero = points.reshape(shape) if len(points) else np.zeros(shape)
    return int((values == zero).sum()), values.size


def _scale(path: Path, end: Any) -> Scale:
    scale, zero = end["quantization"]
    if end["dtype"] == np.int8 and not (np.isfinite(scale) and scale > 0):
        raise InputError(str(path), str(end["name"]), "is of whole numbers without a scale")
    return Scale(float(scale) if end["dtype"] == np.int8 else 0.0, int(zero))
