"""Intrinsic dimension of features by the two nearest neighbors of each image, TwoNN (Facco, d'Errico, Rodriguez and
Laio 2017, https://doi.org/10.1038/s41598-017-11873-y).

Where the density is constant as far as the second neighbor, the ratio of the two distances has a Pareto distribution,
whose exponent is the dimension. As in the paper, the tenth of the images with the largest ratios counts only as beyond
the others, since that is where the assumption fails.
"""

from dataclasses import dataclass

import numpy as np

CENSORED = 0.1  # share of the images with the largest ratios, of which only this is used


@dataclass(frozen=True)
class IntrinsicDimension:
    """The dimension that some images and their neighbors have."""

    dimension: float
    error: float  # standard error
    outcomes: np.ndarray  # (n,), whose mean is the dimension; NaN for an image that is left out
    n_left_out: int  # images that equal their nearest neighbor


def estimate_dimension(distances: np.ndarray) -> tuple[IntrinsicDimension | None, str | None]:
    """Return the intrinsic dimension from the distances (n, k) of images to their nearest neighbors, ascending.

    It is the maximum-likelihood estimate without bias, with the CENSORED largest ratios censored. An image at a
    distance of 0 from its nearest neighbor is left out. The mean of the outcomes over a resample of the images is, to
    first order, the dimension of the resample. Images are taken as independent, though some are neighbors of each
    other: for points in a square, the standard error is a tenth too low.

    The neighbors of held-out images among the training images give the dimension of the training images' features near
    held-out ones, since the ratio has the same distribution around any point.

    The second value is the reason if the dimension is not defined, and the first is then None.
    """
    if distances.shape[1] < 2:
        return None, "The images have fewer than two neighbors."
    nearest, second = np.asarray(distances[:, :2], float).T
    known = nearest > 0
    n_known = int(known.sum())
    n_kept = int(n_known * (1 - CENSORED))
    if n_kept < 2:
        return None, f"Only {n_known} of {len(distances)} images differ from their nearest neighbor."
    ratios = np.log(second[known] / nearest[known])
    order = np.argsort(ratios, kind="stable")
    ratios[order[n_kept:]] = ratios[order[n_kept - 1]]
    if not ratios.any():
        return None, "The two nearest neighbors are at the same distance from each image."
    dimension = (n_kept - 1) / ratios.sum()
    kept = np.zeros(n_known)
    kept[order[:n_kept]] = n_known / n_kept
    outcomes = np.full(len(distances), np.nan)
    outcomes[known] = dimension * (1 + kept - ratios / ratios.mean())
    error = np.nanstd(outcomes) / np.sqrt(n_known)
    return IntrinsicDimension(float(dimension), float(error), outcomes, len(distances) - n_known), None
