"""How well a predicted mask fits the true one."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Booleans = npt.NDArray[np.bool_]


def dice(predicted: Booleans, truth: Booleans) -> float:
    """``2 |A B| / (|A| + |B|)`` of two masks of the same shape, from 0 to 1; 1 where both are empty (Dice 1945)."""
    total = int(predicted.sum()) + int(truth.sum())
    return 2.0 * int((predicted & truth).sum()) / total if total else 1.0
