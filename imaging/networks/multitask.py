"""The multi-task U-Net: lesions, and the risk of the patient they belong to, from one encoder."""

from __future__ import annotations

from typing import Any

from imaging.data.preprocess import SUV
from imaging.networks.blocks import decoder, doubled, encoder, image_of, probability
from imaging.networks.config import NetworkConfig

MULTITASK = "multitask"
"""Its name in a configuration."""
PROBABILITY, EVIDENCE, RISK = "probability", "evidence", "risk"
"""Names of layers: of both heads, and of what one slice tells of the risk."""
LOOKS = 4
"""What the risk is told of the encoder's lowest level, so few that some hundred patients can teach it."""
_HIDDEN = 8
_SHARPNESS = 20.0
"""How nearly a probability above one half counts as a whole voxel: a faint doubt all over a body is no large lesion."""


def multitask(config: NetworkConfig, *, any_size: bool = False) -> Any:
    """A `unet` with a second head that gives each patient a log-hazard, with fresh weights.

    The risk head reads, over all slices of a patient, what the first head holds for lesion: its volume, its total
    uptake, its surface (which together with the volume tells many small lesions from a large one), and the mean over it
    of what a 1 x 1 convolution makes of the encoder's lowest level. The probabilities are taken as they are: what a
    lesion is, the masks alone teach, and the Cox loss reaches the encoder through its lowest level.
    Learning a hazard from images by the Cox loss follows DeepSurv (Katzman et al. 2018).

    Parameters
    ----------
    any_size
        Take images of any rows and columns that are multiples of `config.multiple`, instead of windows only.

    Returns
    -------
    tf_keras.Model
        From slices (slices, rows, columns, planes) and shares (patients, slices), which are the volume of a voxel in ml
        where the slice is of the patient and 0 elsewhere, to probabilities (slices, rows, columns, classes) and
        log-hazards (patients, 1). With several classes the first is the background.
    """
    from imaging.keras import keras, tensorflow

    image, width = image_of(config, any_size=any_size), doubled(config)
    shares = keras.Input((None,), name="shares")
    bottom, skipped = encoder(image, config, width)
    lesion = probability(decoder(bottom, skipped, config, width), config)
    total = tensorflow.matmul(shares, _evidence(image, bottom, lesion, config))
    return keras.Model([image, shares], [lesion, _risk()(total)])


def without_risk(network: Any) -> Any:
    """The part of a `multitask` network that finds lesions, with its weights, from slices alone.

    Layers are shared: what trains one trains both.
    """
    from imaging.keras import keras

    return keras.Model(network.inputs[0], network.get_layer(PROBABILITY).output)


def of_slices(network: Any) -> Any:
    """The part of a `multitask` network that reads slices: from images to probabilities and evidence (slices, facts).

    Evidence of slices is added up to that of a patient, times the volume of a voxel; ``network.get_layer(RISK)`` makes
    a log-hazard of the sum.
    """
    from imaging.keras import keras

    return keras.Model(network.inputs[0], [network.get_layer(name).output for name in (PROBABILITY, EVIDENCE)])


def _evidence(image: Any, bottom: Any, lesion: Any, config: NetworkConfig) -> Any:
    """Of each slice (slices, 3 + `LOOKS`): sums over its voxels, so that those of the slices of a patient add up."""
    from imaging.keras import keras, tensorflow

    layers = keras.layers
    likely = tensorflow.stop_gradient(lesion if config.classes == 1 else 1.0 - lesion[..., :1])
    held = tensorflow.sigmoid(_SHARPNESS * (likely - 0.5))
    pet = config.channels * config.context
    uptake = SUV.high * tensorflow.square(image[..., pet : pet + 1])
    looks = layers.Conv2D(LOOKS, 1, activation="tanh", name="risk_looks")(bottom)
    block = 1 << config.depth
    coarse = layers.AveragePooling2D(block, name="risk_held")(held) * float(block * block)
    facts = [
        tensorflow.reduce_sum(held, (1, 2)),
        tensorflow.reduce_sum(held * uptake, (1, 2)),
        tensorflow.image.total_variation(held)[:, None],
        tensorflow.reduce_sum(coarse * looks, (1, 2)),
    ]
    return layers.Concatenate(name=EVIDENCE)(facts)


def _risk() -> Any:
    """From summed evidence (patients, 3 + `LOOKS`) to log-hazards (patients, 1), 0 before any training."""
    from imaging.keras import keras, tensorflow

    layers = keras.layers
    total = keras.Input((3 + LOOKS,))
    size = tensorflow.math.log1p(total[:, :3])
    looks = total[:, 3:] / (total[:, :1] + 1e-3)
    facts = layers.Concatenate()([size, looks])
    hidden = layers.Dense(_HIDDEN, activation="relu", name="risk_hidden")(facts)
    hazard = layers.Dense(1, use_bias=False, kernel_initializer="zeros", name="risk_log_hazard")
    return keras.Model(total, hazard(layers.Concatenate()([facts, hidden])), name=RISK)
