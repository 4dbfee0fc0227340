"""What a segmentation says of a case in numbers: the lesions with volume and uptake."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from imaging.data.cases import Booleans, Case


@dataclass(frozen=True, slots=True)
class Lesion:
    """One connected piece of an outline.

    Attributes
    ----------
    volume_ml
        In ml.
    suv_max, suv_mean
        Uptake in g/ml.
    glycolysis_g
        Total lesion glycolysis, the mean uptake times the volume (Larson et al. 1999), in g.
    middle_mm
        Centre of mass from the first voxel, along (slices, rows, columns).
    """

    volume_ml: float
    suv_max: float
    suv_mean: float
    glycolysis_g: float
    middle_mm: tuple[float, float, float]


def lesions(case: Case, outline: Booleans) -> list[Lesion]:
    """Pieces that share a face or an edge, the largest first.

    Parameters
    ----------
    outline
        Shape (slices, rows, columns).
    """
    from scipy import ndimage

    labels, number = ndimage.label(outline, structure=ndimage.generate_binary_structure(3, 2))
    found = []
    for label in range(1, number + 1):
        inside = labels == label
        uptake = case.pet[inside]
        volume = float(inside.sum()) * case.voxel_ml
        slices, rows, columns = (
            float(np.mean(places) * length) for places, length in zip(np.nonzero(inside), case.spacing_mm, strict=True)
        )
        mean = float(uptake.mean())
        found.append(Lesion(volume, float(uptake.max()), mean, mean * volume, (slices, rows, columns)))
    return sorted(found, key=lambda each: -each.volume_ml)
