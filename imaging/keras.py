"""The one place TensorFlow and its Keras are imported, so that another Keras would be one change.

Both come with ``pip install 'meddojo[imaging]'`` and take seconds to load: import this module inside functions.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import tensorflow
import tf_keras as keras

__all__ = ["computing_in", "keras", "tensorflow"]


@contextmanager
def computing_in(precision: str) -> Iterator[None]:
    """Layers made within compute in ``float32`` or ``bfloat16``; their weights are single precision always."""
    before = keras.mixed_precision.global_policy()
    keras.mixed_precision.set_global_policy("float32" if precision == "float32" else f"mixed_{precision}")
    try:
        yield
    finally:
        keras.mixed_precision.set_global_policy(before)
