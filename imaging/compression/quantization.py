"""``.tflite`` files: float32, and eight bits throughout, by calibration or by training with the rounding in it.

Eight bits are those of Jacob et al., Quantization and training of neural networks for efficient integer-arithmetic-only
inference (2018): weights symmetric with a scale each channel, activations with a scale and a zero point each tensor,
int8 at both ends. A weight of zero stays zero.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from imaging.compression.finetuning import FineTuning, fine_tune
from imaging.compression.pruning import copied, kernels
from imaging.compression.windows import Window, images_of
from imaging.data.cases import Case, Floats
from imaging.data.slices import SlicePool
from imaging.networks import build
from imaging.networks.config import NetworkConfig

CALIBRATION_WINDOWS = 200
_ALIGNMENT = 16
"""Bytes the weights of a ``.tflite`` file are aligned to, as its schema demands."""

_SETTLING = 25
"""Batches before quantization-aware training that only find ranges of activations,"""
_FASTER = 200.0
"""which then move so many times as fast as in training: a fifth a step."""


def float_lite(network: Any, planes: int, window: Window, sparse: bool = False) -> bytes:
    """Convert a network as it is.

    Parameters
    ----------
    sparse
        Write kernels with many zeros as the places of the others and their values (the sparse tensors of the format).
        The file is smaller without being packed; LiteRT unfolds it when it loads, so that time and results stay.
    """
    converter = _converter(network, planes, window)
    converter.optimizations = _sparse(sparse)
    return slim(converter.convert())


def int8_lite(network: Any, planes: int, window: Window, calibration: Floats, sparse: bool = False) -> bytes:
    """Convert a network to eight bits throughout, with the ranges seen on images.

    Parameters
    ----------
    sparse
        As for `float_lite`.
    calibration
        Windows of training patients, shape (count, window rows, window columns, planes).
    """
    from imaging.keras import tensorflow

    def images() -> Iterator[list[Floats]]:
        for image in calibration:
            yield [image[None]]

    converter = _whole_numbers(_converter(network, planes, window), sparse)
    converter.representative_dataset = images
    converter.target_spec.supported_ops = [tensorflow.lite.OpsSet.TFLITE_BUILTINS_INT8]
    return slim(converter.convert())


def aware_int8_lite(
    network: Any,
    config: NetworkConfig,
    window: Window,
    pool: SlicePool,
    settings: FineTuning,
    sparse: bool = False,
    report: Callable[[str], None] = lambda _: None,
) -> bytes:
    """Train with the rounding to eight bits in the network, then convert it.

    Batch normalisation is folded into the convolutions first, so that the weights that are rounded in training are
    those that are rounded in the end. Weights that are zero are held there, which tfmot's own way does not do for
    transposed convolutions.

    Parameters
    ----------
    network
        Of the configuration; is left as it is.
    sparse
        As for `float_lite`.

    Raises
    ------
    ValueError
        If the network has a batch normalisation that follows no convolution.
    TerminalError
        If the loss ceases to be a number.
    """
    import tensorflow_model_optimization as tfmot

    aware = tfmot.quantization.keras.quantize_model(copied(folded(network, config)))
    weights = [each for each in aware.trainable_variables if "kernel" in each.name]
    kept = [(each.numpy() != 0).astype(np.float32) for each in weights]

    def hold_zeros() -> None:
        for each, mask in zip(weights, kept, strict=True):
            each.assign(each * mask)

    _settle_ranges(aware, pool, settings)
    fine_tune(aware, pool, settings, network, after=hold_zeros, report=report)
    converter = _whole_numbers(_converter(aware, config.planes, window), sparse)
    with warnings.catch_warnings():
        # it knows no training in which ranges were found
        warnings.filterwarnings("ignore", "Statistics for quantized inputs", UserWarning)
        return slim(converter.convert())


def calibration_windows(
    cases: Sequence[Case], config: NetworkConfig, window: Window, seed: int, count: int = CALIBRATION_WINDOWS
) -> Floats:
    """Draw slices to calibrate with, half of them with a lesion where there are so many.

    Returns
    -------
    numpy.ndarray
        Shape (count or as many as there are, window rows, window columns, planes); of larger slices, the middle.
    """
    random = np.random.default_rng(seed)
    places = [(number, level) for number, case in enumerate(cases) for level in range(len(case.mask))]
    order = [places[place] for place in random.permutation(len(places))]
    with_lesion = [place for place in order if cases[place[0]].mask[place[1]].any()]
    first = with_lesion[: count // 2]
    chosen = set(first + [place for place in order if place not in set(first)][: count - len(first)])
    found = []
    for number, case in enumerate(cases):
        images = images_of(case, config)
        found += [_middle(images[level], window) for level in range(len(images)) if (number, level) in chosen]
    return np.stack(found)


def folded(network: Any, config: NetworkConfig) -> Any:
    """The same network without batch normalisation, which became part of the convolutions before it.

    Returns
    -------
    tf_keras.Model
        For images of any size.

    Raises
    ------
    ValueError
        If one follows no convolution.
    """
    plain = build(replace(config, batch_norm=False), any_size=True)
    by_name = {layer.name: layer.get_weights() for layer in kernels(network)}
    for norm in (layer for layer in network.layers if type(layer).__name__ == "BatchNormalization"):
        before = norm.input._keras_history.layer
        if before.name not in by_name or before.use_bias:
            raise ValueError(f"{norm.name} follows no convolution without a bias")
        gamma, beta, mean, variance = norm.get_weights()
        factor = gamma / np.sqrt(variance + norm.epsilon)
        by_name[before.name] = [by_name[before.name][0] * factor, beta - mean * factor]
    for layer in kernels(plain):
        layer.set_weights(by_name[layer.name])
    return plain


def slim(content: bytes) -> bytes:
    """Write a ``.tflite`` file anew without names, notes and repetitions; what it computes stays the same.

    A converted file holds a zero point of eight bytes for each channel of each kernel, all zero, a shape for each
    tensor and an empty buffer for each activation. Equal ones are kept once.
    """
    import flatbuffers
    from tensorflow.lite.tools import flatbuffer_utils

    class Sharing(flatbuffers.Builder):  # type: ignore[misc]
        """Equal vectors once, bytes aligned as weights have to be."""

        head: int

        def __init__(self) -> None:
            super().__init__(len(content))
            self.written: dict[tuple[str, bytes], int] = {}

        def CreateNumpyVector(self, x: Any) -> int:  # noqa: N802 - the name it overrides
            key = (x.dtype.str, x.tobytes())
            if key not in self.written:
                self.written[key] = self._aligned(x)
            return self.written[key]

        def _aligned(self, x: Any) -> int:
            self.StartVector(x.itemsize, x.size, _ALIGNMENT if x.dtype == np.uint8 else x.dtype.alignment)
            end, self.head = self.head, self.head - x.nbytes
            self.Bytes[self.head : end] = x.astype(x.dtype.newbyteorder("<")).tobytes()
            self.vectorNumElems = x.size
            return int(self.EndVector())

    model = flatbuffer_utils.read_model_from_bytearray(bytearray(content))
    flatbuffer_utils.strip_strings(model)
    model.metadata = None
    buffers = [model.buffers[0]]  # the first is always the empty one
    for tensor in (each for graph in model.subgraphs for each in graph.tensors):
        held = model.buffers[tensor.buffer]
        if held.data is None or not len(held.data):
            tensor.buffer = 0
        else:
            buffers.append(held)
            tensor.buffer = len(buffers) - 1
    model.buffers = buffers
    builder = Sharing()
    builder.Finish(model.Pack(builder), file_identifier=b"TFL3")
    return bytes(builder.Output())


def _settle_ranges(aware: Any, pool: SlicePool, settings: FineTuning) -> None:
    """Find the ranges of activations before any weight changes.

    tfmot begins at -6 to 6 and moves by a thousandth a step, so that a short training would end before they fit.
    """
    moving = [
        each
        for each in aware.non_trainable_variables
        if each.name.split(":")[0].endswith(("activation_min", "activation_max", "output_min", "output_max"))
    ]
    random = np.random.default_rng(settings.seed)
    for _ in range(_SETTLING):
        before = [each.numpy() for each in moving]
        aware(pool.batch(random, settings.batch, settings.lesion_share)[0], training=True)
        for each, was in zip(moving, before, strict=True):
            each.assign(was + (each.numpy() - was) * _FASTER)


def _converter(network: Any, planes: int, window: Window) -> Any:
    """Of one window of a fixed size, which transposed convolutions need to be plain operations."""
    from imaging.keras import tensorflow as tf

    @tf.function(input_signature=[tf.TensorSpec((1, window.rows, window.columns, planes), tf.float32)])  # type: ignore[untyped-decorator]
    def segment(image: Any) -> Any:
        return network(image, training=False)

    # the converter stores what it is given with all its layers, which takes longer than the conversion: weights suffice
    weights = tf.Module()
    weights.held = list(network.weights)
    return tf.lite.TFLiteConverter.from_concrete_functions([segment.get_concrete_function()], weights)


def _sparse(sparse: bool) -> list[Any]:
    from imaging.keras import tensorflow as tf

    return [tf.lite.Optimize.EXPERIMENTAL_SPARSITY] if sparse else []


def _whole_numbers(converter: Any, sparse: bool) -> Any:
    from imaging.keras import tensorflow as tf

    converter.optimizations = [tf.lite.Optimize.DEFAULT, *_sparse(sparse)]
    converter.inference_input_type = converter.inference_output_type = tf.int8
    return converter


def _middle(image: Floats, window: Window) -> Floats:
    """Cut or pad an image of shape (rows, columns, planes) to a window."""
    for axis, length in enumerate((window.rows, window.columns)):
        start = max(0, image.shape[axis] - length) // 2
        image = image.take(range(start, min(start + length, image.shape[axis])), axis=axis)
    rows, columns = image.shape[:2]
    return np.pad(image, ((0, window.rows - rows), (0, window.columns - columns), (0, 0)))
