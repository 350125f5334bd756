"""Similarity of the features that two layers, seeds or epochs have for the same images: linear CKA (Kornblith et al.
2019, https://arxiv.org/abs/1905.00414), and the overlap of the nearest neighbors.

All pairs are compared in one go through the blocks of the products of the rows (n, n), which do not depend on the
numbers of dimensions and are never held as a whole.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from itertools import combinations

import numpy as np

from common.knn.chunks import chunks
from common.knn.index import search_exactly, search_others
from common.scoring.overlap import neighbor_overlap
from common.scoring.parameters import N_VOTERS

BLOCK_ROWS = 1000  # whose products with as many others are held at once, for each matrix


@dataclass(frozen=True)
class Similarity:
    """The similarity of two feature matrices with the same n rows: the means of these outcomes of the rows."""

    cka: np.ndarray  # (n,), whose mean is the linear CKA, and its mean over a resample, to first order, that CKA
    overlap: np.ndarray  # (n,), share of each row's nearest neighbors that are the same


def center_rows(features: np.ndarray) -> np.ndarray:
    """Return features (n, d) less their mean and with mean square norm 1, as float32; zeros if they are equal."""
    centered = features - features.mean(axis=0, dtype=float).astype(np.float32)
    scale = np.sqrt(np.einsum("ij,ij->", centered, centered, dtype=float) / len(centered))
    return np.divide(centered, scale, out=centered) if scale else centered


def multiply_products(centered: list[np.ndarray]) -> np.ndarray:
    """Return, for each row and pair of m matrices, the sum over all rows of the product of both inner products.

    The matrices (n, d) float32 are centered. The result (n, m, m) float64, summed over rows, is the squared Frobenius
    norm of the cross-products of two matrices.
    """
    n, m = len(centered[0]), len(centered)
    sums = np.zeros((n, m, m))
    for rows in chunks(n, BLOCK_ROWS):
        for others in chunks(rows.stop, BLOCK_ROWS):  # the products are symmetric
            products = np.stack([matrix[rows] @ matrix[others].T for matrix in centered]).astype(float)
            by_row = products.transpose(1, 0, 2)
            sums[rows] += by_row @ by_row.transpose(0, 2, 1)
            if others.start < rows.start:
                by_other = np.ascontiguousarray(products.transpose(2, 0, 1))
                sums[others] += by_other @ by_other.transpose(0, 2, 1)
    return sums


def compare_features(
    features: Mapping[str, np.ndarray], memory_mb: float, threads: int
) -> tuple[dict[tuple[str, str], Similarity], dict[str, str]]:
    """Return the similarity of each pair of features (n, d) float32 of the same n rows, by their names in order.

    n should be 10,000 or less. Distances are searched exactly; the N_VOTERS nearest neighbors are compared. Features
    that cannot be compared are in no pair; the second value has the reasons, by their names.
    """
    reasons, centered, neighbors = {}, {}, {}
    for name, matrix in features.items():
        if len(matrix) <= N_VOTERS:
            reasons[name] = f"There are no more than {N_VOTERS} images."
            continue
        rows = center_rows(matrix)
        if not rows.any():
            reasons[name] = "All images have the same features."
        else:
            search = partial(search_exactly, rows, memory_mb=memory_mb, threads=threads)
            neighbors[name], _ = search_others(search, rows, np.arange(len(rows)), N_VOTERS)
            centered[name] = rows
    found = {}
    if len(centered) < 2:
        return found, reasons
    sums = multiply_products(list(centered.values()))
    norms = sums.sum(axis=0)
    shares = sums / norms
    for (i, first), (j, second) in combinations(enumerate(centered), 2):
        cka = norms[i, j] / np.sqrt(norms[i, i] * norms[j, j])
        influence = 2 * shares[:, i, j] - shares[:, i, i] - shares[:, j, j]
        overlap = neighbor_overlap(neighbors[first], neighbors[second])
        found[first, second] = Similarity(cka * (1 + len(influence) * influence), overlap)
    return found, reasons
