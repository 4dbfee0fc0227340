"""How well a segmentation agrees with the truth: overlap, surface distance, missed volumes, calibration.

Masks are arrays of one shape, 2D or 3D, true (or other than 0) inside; `spacing_mm` is the distance between voxel
centres along each axis of the array, in mm. What empty masks give is stated at each function, for a mean over patients
depends on it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Mask = npt.NDArray[Any]
Floats = npt.NDArray[np.floating[Any]]
Flags = npt.NDArray[np.bool_]

_MM3_PER_ML = 1000.0


@dataclass(frozen=True, slots=True)
class Reliability:
    """A reliability diagram: what was predicted in each bin of probability, and what came true.

    Attributes
    ----------
    counts
        Voxels of each bin, shape (bins,).
    confidence, frequency
        Mean probability and share of true voxels, shape (bins,); NaN where a bin is empty.
    """

    counts: npt.NDArray[np.int64]
    confidence: Floats
    frequency: Floats

    @property
    def expected_error(self) -> float:
        """The expected calibration error, 0 to 1: distance of the two, weighted by the voxels of each bin."""
        filled = self.counts > 0
        gaps = np.abs(self.confidence[filled] - self.frequency[filled])
        return float(np.average(gaps, weights=self.counts[filled]))


def dice(predicted: Mask, truth: Mask) -> float:
    """Dice coefficient, ``2 |A and B| / (|A| + |B|)``.

    Returns
    -------
    float
        0 to 1; 1 where both masks are empty, 0 where one is.

    Raises
    ------
    ValueError
        Masks of different shapes.

    References
    ----------
    Taha and Hanbury, Metrics for evaluating 3D medical image segmentation, BMC Medical Imaging 15 (2015).
    """
    ours, true = _masks(predicted, truth)
    total = int(ours.sum()) + int(true.sum())
    return 2 * int((ours & true).sum()) / total if total else 1.0


def iou(predicted: Mask, truth: Mask) -> float:
    """Intersection over union (Jaccard index), ``|A and B| / |A or B|``.

    Returns
    -------
    float
        0 to 1; 1 where both masks are empty, 0 where one is.

    Raises
    ------
    ValueError
        Masks of different shapes.

    References
    ----------
    Taha and Hanbury 2015.
    """
    ours, true = _masks(predicted, truth)
    union = int((ours | true).sum())
    return int((ours & true).sum()) / union if union else 1.0


def hd95(predicted: Mask, truth: Mask, spacing_mm: Sequence[float]) -> float:
    """Hausdorff distance without the farthest 5 %: the larger of the 95th percentiles of both ``surface_distances``.

    MONAI and DeepMind's surface-distance take the larger of the two as well; MedPy takes the percentile of both
    directions pooled, which can be less.

    Returns
    -------
    float
        In mm; 0 where both masks are empty, infinite where one is: a mean over patients has to name those apart.

    Raises
    ------
    ValueError
        Masks of different shapes, or a spacing that is not one positive number per axis.

    References
    ----------
    Taha and Hanbury 2015, distance based metrics, with the quantile of Huttenlocher, Klanderman and Rucklidge (1993).
    """
    ours, true = _masks(predicted, truth)
    _spacing(spacing_mm, ours.ndim)
    if not ours.any() or not true.any():
        return math.inf if ours.any() or true.any() else 0.0
    return max(float(np.percentile(each, 95)) for each in surface_distances(ours, true, spacing_mm))


def surface_distances(predicted: Mask, truth: Mask, spacing_mm: Sequence[float]) -> tuple[Floats, Floats]:
    """Distances between the surfaces, from each surface voxel of one mask to the nearest of the other.

    A voxel is on the surface if one of its neighbours across a face is outside the mask or the image.

    Returns
    -------
    numpy.ndarray
        From the prediction to the truth, in mm, one for each surface voxel.
    numpy.ndarray
        From the truth to the prediction.

    Raises
    ------
    ValueError
        As for ``hd95``, and an empty mask, which has no surface.
    """
    from scipy import ndimage

    ours, true = _masks(predicted, truth)
    spacing = _spacing(spacing_mm, ours.ndim)
    if not ours.any() or not true.any():
        raise ValueError("an empty mask has no surface")
    box = ndimage.find_objects((ours | true).astype(np.int8))[0]  # distances beyond it are never asked for
    surfaces = [each[box] & ~ndimage.binary_erosion(each[box]) for each in (ours, true)]
    from_truth, from_ours = (ndimage.distance_transform_edt(~each, sampling=spacing) for each in surfaces[::-1])
    return from_truth[surfaces[0]], from_ours[surfaces[1]]


def false_negative_volume_ml(predicted: Mask, truth: Mask, spacing_mm: Sequence[float]) -> float:
    """Volume of the lesions missed entirely: components of the truth that the prediction does not touch.

    Components are 18-connected: voxels that share a face or an edge belong together.

    Parameters
    ----------
    predicted, truth
        Masks of one shape, 3D.
    spacing_mm
        Three numbers.

    Returns
    -------
    float
        In ml; 0 where the truth is empty, its whole volume where the prediction is.

    Raises
    ------
    ValueError
        Masks of different shapes or not 3D, or a spacing that is not one positive number per axis.

    References
    ----------
    Gatidis et al., Results from the autoPET challenge, Nature Machine Intelligence 6 (2024), and its evaluation code.
    """
    from scipy import ndimage

    ours, true = _masks(predicted, truth)
    spacing = _spacing(spacing_mm, ours.ndim)
    if true.ndim != 3:
        raise ValueError(f"only a 3D mask has a volume: {true.shape}")
    labels, number = ndimage.label(true, structure=ndimage.generate_binary_structure(3, 2))
    touched = np.zeros(number + 1, dtype=bool)
    touched[labels[ours]] = True
    touched[0] = True  # the background is no lesion
    missed = int(np.bincount(labels.ravel(), minlength=number + 1)[~touched].sum())
    return missed * math.prod(spacing) / _MM3_PER_ML


def false_positive_volume_ml(predicted: Mask, truth: Mask, spacing_mm: Sequence[float]) -> float:
    """Volume of what was invented: components of the prediction that do not touch the truth.

    The same as ``false_negative_volume_ml`` with the masks exchanged: 0 ml where the prediction is empty, its whole
    volume where the truth is.
    """
    return false_negative_volume_ml(truth, predicted, spacing_mm)


def reliability(probabilities: Floats, truth: Mask, region: Mask | None = None, bins: int = 10) -> Reliability:
    """Sort the voxels of a region into bins of equal width by their predicted probability.

    Parameters
    ----------
    probabilities
        Of the lesion, 0 to 1, shape of the masks.
    truth
        The lesion.
    region
        Which voxels count; all if None. Most of an image is background that is easy to predict and hides how far off
        the probabilities of the rest are, so a region should be named with every figure.
    bins
        How many; the upper edge of each belongs to the next, that of the last to itself.

    Raises
    ------
    ValueError
        Shapes that differ, probabilities outside 0 to 1 or NaN, a region without voxels, or no bins.

    References
    ----------
    Naeini, Cooper and Hauskrecht, Obtaining well calibrated probabilities using Bayesian binning, AAAI (2015).
    """
    inside, true = _masks(np.ones_like(truth) if region is None else region, truth)
    given = np.asarray(probabilities)
    if given.shape != true.shape:
        raise ValueError(f"probabilities of shape {given.shape}, but masks of shape {true.shape}")
    chosen, hits = given[inside].astype(float), true[inside]
    if not len(chosen) or bins < 1:
        raise ValueError("a region without voxels, or no bins: no calibration")
    if not ((chosen >= 0.0) & (chosen <= 1.0)).all():
        raise ValueError("probabilities have to lie between 0 and 1")
    number = np.minimum((chosen * bins).astype(int), bins - 1)
    counts = np.bincount(number, minlength=bins)
    sums = (np.bincount(number, weights=each, minlength=bins) for each in (chosen, hits))
    filled = np.where(counts > 0, counts, np.nan)
    return Reliability(counts, *(each / filled for each in sums))


def expected_calibration_error(probabilities: Floats, truth: Mask, region: Mask | None = None, bins: int = 10) -> float:
    """Expected calibration error of a region, 0 to 1: how far probabilities are from frequencies, on average.

    Takes, raises and cites what ``reliability`` does.
    """
    return reliability(probabilities, truth, region, bins).expected_error


def _masks(predicted: Mask, truth: Mask) -> tuple[Flags, Flags]:
    ours, true = np.asarray(predicted) != 0, np.asarray(truth) != 0
    if ours.shape != true.shape:
        raise ValueError(f"masks of different shapes: {ours.shape} and {true.shape}")
    return ours, true


def _spacing(spacing_mm: Sequence[float], dimensions: int) -> tuple[float, ...]:
    spacing = tuple(float(each) for each in spacing_mm)
    if len(spacing) != dimensions or not all(0.0 < each < math.inf for each in spacing):
        raise ValueError(f"the spacing has to be {dimensions} positive numbers (mm): {spacing}")
    return spacing
