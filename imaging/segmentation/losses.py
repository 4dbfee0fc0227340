"""Losses of segmentation: for lesions that fill a hundredth of an image, counting voxels alone teaches nothing.

All take truth (0 or 1) and predicted probabilities of shape (batch, ..., classes). Sums run over the whole
batch, so that an image without a lesion adds its false positives instead of a fraction 0/0.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

Loss = Callable[[Any, Any], Any]

_SMOOTH = 1.0
"""Voxels added above and below the fraction, so that a batch without lesions has a slope."""


def dice_loss(truth: Any, predicted: Any) -> Any:
    """``1 - 2 |A B| / (|A| + |B|)``, mean over classes (Milletari, Navab and Ahmadi 2016)."""
    return tversky_loss(truth, predicted, alpha=0.5, beta=0.5)


def tversky_loss(truth: Any, predicted: Any, alpha: float = 0.3, beta: float = 0.7) -> Any:
    """``1 - TP / (TP + alpha FP + beta FN)``, mean over classes (Salehi, Erdogmus and Gholipour 2017)."""
    return _lost(truth, predicted, alpha, beta, 1.0)


def focal_tversky_loss(truth: Any, predicted: Any, alpha: float = 0.3, beta: float = 0.7, gamma: float = 0.75) -> Any:
    """``(1 - Tversky)^gamma`` (Abraham and Khan 2019, who write the exponent as 1/gamma with gamma 4/3)."""
    return _lost(truth, predicted, alpha, beta, gamma)


def focal_loss(truth: Any, predicted: Any, gamma: float = 2.0) -> Any:
    """Mean over voxels of ``-(1 - p)^gamma log p``, p the probability of what is true (Lin et al. 2017)."""
    from imaging.keras import tensorflow as tf

    right = _right(truth, predicted)
    return tf.reduce_mean(-tf.pow(1.0 - right, gamma) * tf.math.log(right))


def cross_entropy(truth: Any, predicted: Any) -> Any:
    """Mean over voxels of ``-log p``, p the probability of what is true."""
    from imaging.keras import tensorflow as tf

    return tf.reduce_mean(-tf.math.log(_right(truth, predicted)))


def soft_cross_entropy(expected: Any, predicted: Any) -> Any:
    """Mean over voxels of ``-(q log p + (1 - q) log(1 - p))``, q the probability that is expected."""
    from imaging.keras import tensorflow as tf

    predicted = tf.clip_by_value(predicted, 1e-7, 1.0 - 1e-7)
    return -tf.reduce_mean(expected * tf.math.log(predicted) + (1.0 - expected) * tf.math.log(1.0 - predicted))


def dice_cross_entropy_loss(truth: Any, predicted: Any) -> Any:
    """The sum of both (Isensee et al. 2021): the second keeps probabilities calibrated."""
    return dice_loss(truth, predicted) + cross_entropy(truth, predicted)


def dice_focal_loss(truth: Any, predicted: Any) -> Any:
    """The sum of both: overlap of the whole, and the voxels that are still wrong."""
    return dice_loss(truth, predicted) + focal_loss(truth, predicted)


def _right(truth: Any, predicted: Any) -> Any:
    """Probability of what is true."""
    from imaging.keras import tensorflow as tf

    return tf.clip_by_value(truth * predicted + (1.0 - truth) * (1.0 - predicted), 1e-7, 1.0)


def _lost(truth: Any, predicted: Any, alpha: float, beta: float, gamma: float) -> Any:
    from imaging.keras import tensorflow as tf

    axes = range(len(predicted.shape) - 1)
    hit = tf.reduce_sum(truth * predicted, axes)
    false_alarm = tf.reduce_sum((1.0 - truth) * predicted, axes)
    missed = tf.reduce_sum(truth * (1.0 - predicted), axes)
    index = (hit + _SMOOTH) / (hit + alpha * false_alarm + beta * missed + _SMOOTH)
    # a power below 1 has no slope at 0
    return tf.reduce_mean(tf.pow(tf.maximum(1.0 - index, 1e-7), gamma))


LOSSES: Mapping[str, Loss] = MappingProxyType(
    {
        "dice": dice_loss,
        "tversky": tversky_loss,
        "focal_tversky": focal_tversky_loss,
        "dice_focal": dice_focal_loss,
        "dice_cross_entropy": dice_cross_entropy_loss,
    }
)
"""Those a configuration can name."""
