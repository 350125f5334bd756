"""What the scores of one split are computed from."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np


@dataclass(frozen=True)
class SplitData:
    """The images of one split in one layer and its embedding. Neighbors and voters are training images."""

    features: np.ndarray  # (n, d)
    coordinates: np.ndarray  # (n, 2), in the embedding
    labels: np.ndarray  # (n,), class numbers
    classes: Sequence[str]  # their names; empty without labels
    neighbors: np.ndarray  # (n, k) in the features, nearest first, without the image itself
    map_neighbors: np.ndarray  # (n, k) in the embedding, likewise
    voter_labels: np.ndarray  # (training images,), the labels of the neighbors
    sample: np.ndarray  # (m,), rows for the scores that need all pairs

    @cached_property
    def distances(self) -> np.ndarray:
        """Return Euclidean distances (m, m) between the features of the sample."""
        return pairwise_distances(self.features[self.sample])

    @cached_property
    def map_distances(self) -> np.ndarray:
        """Return Euclidean distances (m, m) between the coordinates of the sample."""
        return pairwise_distances(self.coordinates[self.sample])


def pairwise_distances(rows: np.ndarray) -> np.ndarray:
    """Return Euclidean distances (m, m) between the rows (m, d), exactly 0 on the diagonal."""
    from sklearn import metrics

    distances = metrics.pairwise_distances(rows)
    np.fill_diagonal(distances, 0)
    return distances
