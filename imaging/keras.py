"""The one place TensorFlow and its Keras are imported, so that another Keras would be one change.

Both come with ``pip install 'meddojo[imaging]'`` and take seconds to load: import this module inside functions.
"""

from __future__ import annotations

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import tensorflow
import tf_keras as keras

__all__ = ["keras", "tensorflow"]
