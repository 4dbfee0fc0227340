"""Grad-CAM: where in an image a layer's features speak for what was segmented."""

from __future__ import annotations

from typing import Any

import numpy as np

from imaging.data.cases import Case, Floats
from imaging.networks.config import NetworkConfig
from imaging.segmentation.prediction import predict

OUTPUT = "probability"
"""Name of the layer that the networks of this room end in."""
_LOWEST = "bottom"
"""Names of the layers of the bottleneck begin so."""


class GradCam:
    """Heat maps of a network that segments.

    Grad-CAM (Selvaraju et al. 2017) of many voxels at once (Seg-Grad-CAM; Vinogradova, Dibrov and Myers 2020).

    What is explained is the mean logit over the voxels with a probability above 0.5. Its slope by each channel of the
    layer, mean over all places, weighs the channel; the sum of the weighted channels is cut at 0 and enlarged to the
    image. A network in two dimensions is explained slice by slice, one in three dimensions as a whole.

    Parameters
    ----------
    network
        Whose layer `output` turns logits into probabilities of one class by its own sigmoid.
    layer
        Name of the one whose channels are weighed; the last of the bottleneck if None.

    Raises
    ------
    ValueError
        If there is no such layer, `layer` gives no image, or `output` has no sigmoid.
    """

    def __init__(self, network: Any, layer: str | None = None, output: str = OUTPUT) -> None:
        from imaging.keras import keras

        self.layer = default_layer(network) if layer is None else layer
        names = [each.name for each in network.layers]
        for name in (self.layer, output):
            if name not in names:
                raise ValueError(f"no layer {name}; there are {', '.join(names)}")
        features = network.get_layer(self.layer).output
        # of several inputs the image is the first
        image = network.inputs[0]
        if len(features.shape) != len(image.shape):
            raise ValueError(f"layer {self.layer} gives no image: shape {tuple(features.shape)}")
        self._model = keras.Model(image, [features, _logits(network.get_layer(output))])

    def __call__(self, images: Any, training: bool = False) -> Floats:
        """Explain images.

        Parameters
        ----------
        images
            Shape (batch, rows, columns, channels), or (batch, slices, rows, columns, channels).
        training
            Of no account; there so that it can be called as a network is.

        Returns
        -------
        numpy.ndarray
            Shape of the images with one channel; not below 0, of no unit, 0 where nothing was segmented.
        """
        from imaging.keras import tensorflow as tf

        images = tf.convert_to_tensor(images)
        places = tuple(range(1, len(images.shape) - 1))
        with tf.GradientTape() as tape:
            # what is computed of it is recorded, frozen layers too
            tape.watch(images)
            features, found = self._model(images, training=False)
            logits = found[..., 0]
            chosen = tf.cast(logits > 0.0, tf.float32)
            explained = tf.reduce_sum(logits * chosen, places) / tf.maximum(tf.reduce_sum(chosen, places), 1.0)
        slope = tape.gradient(explained, features)
        weights = tf.reduce_mean(slope, places, keepdims=True)
        heat = np.maximum(np.asarray(tf.reduce_sum(weights * features, -1)), 0.0)
        return np.stack([enlarged(each, tuple(images.shape[1:-1])) for each in heat])[..., None]


def explain(network: Any, config: NetworkConfig, case: Case, layer: str | None = None) -> Floats:
    """Heat map of a case, made as its prediction is.

    Returns
    -------
    numpy.ndarray
        Shape (slices, rows, columns); from 0 to 1, its highest value, or 0 everywhere where nothing was segmented.

    Raises
    ------
    ValueError
        As for `GradCam`.
    """
    found = predict(GradCam(network, layer), config, case)
    highest = float(found.max())
    return found / highest if highest > 0.0 else found


def default_layer(network: Any) -> str:
    """The last layer of the bottleneck that is no dropout.

    Raises
    ------
    ValueError
        If none is named so.
    """
    names = [each.name for each in network.layers if each.name.startswith(_LOWEST) and "drop" not in each.name]
    if not names:
        raise ValueError(f"no layer of a bottleneck; name one of {', '.join(each.name for each in network.layers)}")
    return str(names[-1])


def enlarged(values: Floats, shape: tuple[int, ...]) -> Floats:
    """Interpolate linearly to a shape; each voxel of the coarse grid is the middle of those it stands for."""
    from scipy.ndimage import map_coordinates

    axes = [
        (np.arange(length) + 0.5) * coarse / length - 0.5 for length, coarse in zip(shape, values.shape, strict=True)
    ]
    places = np.meshgrid(*axes, indexing="ij")
    return np.asarray(map_coordinates(values, places, order=1, mode="nearest"), dtype=np.float32)


def _logits(layer: Any) -> Any:
    """What a layer computes before its activation: a copy of it without one, that has the same weights."""
    config = layer.get_config()
    if config.get("activation") != "sigmoid":
        raise ValueError(f"layer {layer.name} makes no probabilities of logits: activation {config.get('activation')}")
    plain = type(layer).from_config(config | {"activation": "linear", "name": f"{layer.name}_logit"})
    found = plain(layer.input)
    plain.set_weights(layer.get_weights())
    return found
