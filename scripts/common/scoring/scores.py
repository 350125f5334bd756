"""The registry of scores.

Libraries that only a computation needs are imported in its function: the figures read the labels alone.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from common.scoring.data import SplitData
from common.scoring.parameters import MAX_CORRELATED, N_PRESERVED, N_VOTERS

Value = float | dict[str, Any] | None  # a mapping has the score itself as "mean"; None where it is not defined


def knn_accuracy(neighbors: np.ndarray, labels: np.ndarray, truth: np.ndarray) -> float:
    """Return the share of rows whose N_VOTERS nearest neighbors (m, k) vote for their true label, `truth` (m,).

    `labels` (n,) are those of the rows that `neighbors` number. In a tie the smallest label wins.
    """
    from scipy.stats import mode

    return float((mode(labels[neighbors[:, :N_VOTERS]], axis=1).mode == truth).mean())


def knn_preservation(map_neighbors: np.ndarray, neighbors: np.ndarray, k: int, block: int = 10_000) -> float:
    """Return the share of the k nearest `neighbors` (m, at least k) that are among the k nearest `map_neighbors`."""
    count = 0
    for start in range(0, len(neighbors), block):
        rows = slice(start, start + block)
        count += (map_neighbors[rows, :k, None] == neighbors[rows, None, :k]).sum()
    return float(count / (len(neighbors) * k))


def silhouette(distances: np.ndarray, data: SplitData) -> dict[str, Any]:
    """Return the mean silhouette of the sample, and that of each class, from distances (m, m) (Rousseeuw 1987).

    Both are None with fewer than two classes.
    """
    from sklearn.metrics import silhouette_samples

    labels = data.labels[data.sample]
    present = np.unique(labels)
    if not data.classes or not 1 < len(present) < len(labels):
        return {"mean": None, "by_class": None}
    values = silhouette_samples(distances, labels, metric="precomputed")
    by_class = {data.classes[label]: float(values[labels == label].mean()) for label in present}
    return {"mean": float(values.mean()), "by_class": by_class}


def trustworthiness(distances: np.ndarray, coordinates: np.ndarray) -> float | None:
    """Return how far the nearest rows in `coordinates` (m, d) are near by distances (m, m) (Venna and Kaski 2001).

    With the two spaces exchanged it is the continuity. None for fewer rows than it is defined for.
    """
    from sklearn import manifold

    if len(coordinates) <= 2 * N_VOTERS:
        return None
    return float(manifold.trustworthiness(distances, coordinates, n_neighbors=N_VOTERS, metric="precomputed"))


def distance_correlation(data: SplitData) -> float | None:
    """Return Spearman's rank correlation of the distances in the features and in the embedding.

    None if all distances are equal, or there are none.
    """
    from scipy.stats import spearmanr

    pairs = np.triu_indices(min(MAX_CORRELATED, len(data.sample)), 1)
    pairs_of_spaces = [matrix[pairs] for matrix in (data.distances, data.map_distances)]
    is_defined = all(len(values) and np.ptp(values) > 0 for values in pairs_of_spaces)
    return float(spearmanr(*pairs_of_spaces).statistic) if is_defined else None


def _accuracy_in(space: str, data: SplitData) -> float | None:
    neighbors = data.neighbors if space == "features" else data.map_neighbors
    return knn_accuracy(neighbors, data.voter_labels, data.labels) if data.classes else None


@dataclass(frozen=True)
class Score:
    """One score: what it is called, how it is shown, and how it is computed."""

    label: str  # in tables
    description: str  # in docs/scores.md, where `make docs` writes it
    range: tuple[float, float]
    tolerance: float  # between machines and versions, beyond the range of the reference's seeds (docs/scores.md)
    compute: Callable[[SplitData], Value] | None = None  # None: another rule knows the value
    panel: str | None = None  # of the figure of the scores
    legend: str = ""  # in the panel
    space: str = "map"  # "features" or "map", which decides on the color
    marker: str = "o"


ERROR_PANEL = "wrong labels (%)"  # accuracies are drawn as error rates, on a logarithmic axis
PANELS = (ERROR_PANEL, "silhouette of the classes", "share of neighbors kept", "faithfulness of the map")
SCORES = {
    "knn_accuracy_features": Score(
        "kNN accuracy, features",
        f"share of images whose label wins the vote of their {N_VOTERS} nearest neighbors in the features",
        (0, 1),
        0.003,
        partial(_accuracy_in, "features"),
        ERROR_PANEL,
        "in the features",
        "features",
        "s",
    ),
    "knn_accuracy_map": Score(
        "kNN accuracy, map",
        f"the same for the {N_VOTERS} nearest neighbors in the embedding",
        (0, 1),
        0.004,
        partial(_accuracy_in, "map"),
        ERROR_PANEL,
        "in the map",
    ),
    **{
        f"knn_preservation_{k}": Score(
            f"kNN preservation, k = {k}",
            f"share of the {k} nearest neighbors in the features that are among the {k} nearest in the embedding",
            (0, 1),
            0.01,
            lambda data, k=k: knn_preservation(data.map_neighbors, data.neighbors, k),
            PANELS[2],
            f"of {k}",
            marker=marker,
        )
        for k, marker in zip(N_PRESERVED, "oD", strict=True)
    },
    "trustworthiness": Score(
        "trustworthiness",
        "1 if no neighbor in the embedding is distant in the features; lower by the ranks of those that are "
        "(Venna and Kaski 2001)",
        (0, 1),
        0.01,
        lambda data: trustworthiness(data.distances, data.coordinates[data.sample]),
        PANELS[3],
        "trustworthiness",
        marker="^",
    ),
    "continuity": Score(
        "continuity",
        "1 if no neighbor in the features is distant in the embedding; lower by the ranks of those that are "
        "(Venna and Kaski 2001)",
        (0, 1),
        0.01,
        lambda data: trustworthiness(data.map_distances, data.features[data.sample]),
        PANELS[3],
        "continuity",
        marker="v",
    ),
    "silhouette_features": Score(
        "silhouette, features",
        "silhouette of the classes in the features: how much nearer an image is to its own class than to the next, "
        "from -1 to 1 (Rousseeuw 1987)",
        (-1, 1),
        0.02,
        lambda data: silhouette(data.distances, data),
        PANELS[1],
        "in the features",
        "features",
        "s",
    ),
    "silhouette_map": Score(
        "silhouette, map",
        "silhouette of the classes in the embedding",
        (-1, 1),
        0.05,
        lambda data: silhouette(data.map_distances, data),
        PANELS[1],
        "in the map",
    ),
    "distance_correlation": Score(
        "rank correlation of distances",
        "Spearman's rank correlation between distances in the features and in the embedding",
        (-1, 1),
        0.1,
        distance_correlation,
        PANELS[3],
        "rank correlation\nof distances",
        marker="P",
    ),
    "kl_divergence": Score(
        "KL divergence",
        "KL divergence that t-SNE minimizes, computed exactly, in nats; training images only",
        (0, np.inf),
        0.03,
    ),
    "network_accuracy": Score("network accuracy", "accuracy of the network's own predictions", (0, 1), 0.002),
}


def compute_scores(data: SplitData) -> dict[str, Value]:
    """Return the scores of one split that are computed from its data, by key."""
    return {key: score.compute(data) for key, score in SCORES.items() if score.compute}


def as_number(value: Value) -> float | None:
    """Return a score as one number: its mean, if there is more to it."""
    return value["mean"] if isinstance(value, Mapping) else value
