"""What the scores of one split are computed from."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class SplitData:
    """The images of one split in one layer and in one embedding of it. Neighbors and voters are training images."""

    features: np.ndarray  # (n, d)
    coordinates: np.ndarray  # (n, 2), in the embedding
    labels: np.ndarray  # (n,), class numbers
    classes: Sequence[str]  # their names; empty without labels
    neighbors: np.ndarray  # (n, k) in the features, nearest first, without the image itself
    map_neighbors: np.ndarray  # (n, k) in the embedding, likewise
    voter_labels: np.ndarray  # (training images,), the labels of the neighbors
    distance_ranks: Sequence[np.ndarray]  # of the distances in the features, from common.scoring.scores
    queries: np.ndarray  # (m,), the rows that were compared with all training images
    of_queries: dict[str, np.ndarray]  # their scores (m,) by name, from common.scoring.queries
