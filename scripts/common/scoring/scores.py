"""The registry of scores.

Libraries that only a computation needs are imported in its function: the figures read the labels alone.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from functools import partial

import numpy as np

from common.scoring.data import SplitData
from common.scoring.overlap import neighbor_overlap
from common.scoring.parameters import COMPONENTS, MIN_SAMPLE, N_PRESERVED, N_SAMPLES, N_VOTERS, SAMPLE_ROWS
from common.scoring.votes import vote


def knn_accuracy(space: str, data: SplitData) -> np.ndarray | None:
    """Return whether the N_VOTERS nearest neighbors of each image vote for its label, (n,) bool; None without labels.

    The neighbors are those in the "features" or in the "map".
    """
    if not data.classes:
        return None
    neighbors = data.neighbors if space == "features" else data.map_neighbors
    return vote(data.voter_labels[neighbors[:, :N_VOTERS]]) == data.labels


def knn_preservation(k: int, data: SplitData, block: int = 10_000) -> np.ndarray:
    """Return the share of each image's k nearest neighbors that are among the k nearest in the embedding, (n,)."""
    return neighbor_overlap(data.neighbors[:, :k], data.map_neighbors[:, :k], block)


def query_score(name: str, data: SplitData) -> np.ndarray | None:
    """Return a score of common.scoring.queries for the queries, and NaN for other images, (n,); None without labels."""
    if name.startswith("silhouette") and not data.classes:
        return None
    values = np.full(len(data.labels), np.nan)
    values[data.queries] = data.of_queries[name]
    return values


def distance_correlation(data: SplitData) -> np.ndarray:
    """Return Spearman's correlation of the distances in features and embedding, for each of the samples of a split.

    NaN if all distances are equal, or there are none.
    """
    correlations = []
    for ranks, map_ranks in zip(data.distance_ranks, rank_distances(data.coordinates), strict=True):
        defined = all(len(every) and np.ptp(every) > 0 for every in (ranks, map_ranks))
        correlations.append(np.corrcoef(ranks, map_ranks)[0, 1] if defined else np.nan)
    return np.array(correlations)


def rank_distances(rows: np.ndarray) -> list[np.ndarray]:
    """Return the ranks of the distances between the rows of each sample, of rows (n, d) of a split.

    There are N_SAMPLES disjoint samples; a small split is one sample. Equal distances share the mean of their ranks.
    """
    import pandas as pd

    order = np.random.default_rng(0).permutation(len(rows))
    size = min(SAMPLE_ROWS, len(order) // N_SAMPLES)
    samples = [order[size * number : size * (number + 1)] for number in range(N_SAMPLES)]
    if size < MIN_SAMPLE:
        samples = [order[:SAMPLE_ROWS]]
    return [pd.Series(square_distances(rows[np.sort(sample)])).rank().to_numpy() for sample in samples]


def square_distances(rows: np.ndarray) -> np.ndarray:
    """Return the squared distance of each pair of rows (n, d), as (n (n - 1) / 2,) float64, by products."""
    centered = rows.astype(float) - rows[:1]  # exactly 0 if all rows are equal
    norms = np.einsum("ij,ij->i", centered, centered)
    first, second = np.triu_indices(len(rows), 1)
    return np.maximum(norms[first] + norms[second] - 2 * (centered @ centered.T)[first, second], 0)


@dataclass(frozen=True)
class Score:
    """One score: what it is called, how it is shown, and how it is computed.

    `compute` returns the outcome of each image, NaN where it is not measured, or None if it is not defined; the score
    is the mean. Without `compute`, another script knows the outcomes or the value.
    """

    label: str  # in tables and figures
    description: str  # in docs/scores.md, where `make docs` writes it
    range: tuple[float, float]
    space: str  # "features", "map" or "network"
    compute: Callable[[SplitData], np.ndarray | None] | None = None
    comparable: bool = True  # between layers


SCORES = {
    "knn_accuracy_features": Score(
        "kNN accuracy, features",
        f"share of images whose label wins the vote of their {N_VOTERS} nearest neighbors in the features",
        (0, 1),
        "features",
        partial(knn_accuracy, "features"),
    ),
    "knn_accuracy_cosine": Score(
        "kNN accuracy, features, cosine",
        "the same by cosine distance; held-out images, if there are any",
        (0, 1),
        "features",
    ),
    "knn_accuracy_pca": Score(
        f"kNN accuracy, features, {COMPONENTS} components",
        f"the same by the distance in the first {COMPONENTS} principal components of the features; held-out images, "
        "if there are any",
        (0, 1),
        "features",
    ),
    "linear_probe_accuracy": Score(
        "linear probe accuracy",
        "accuracy of a ridge classifier on the features, fitted to the training images (Alain and Bengio 2016)",
        (0, 1),
        "features",
    ),
    "class_mean_accuracy": Score(
        "class mean accuracy",
        "share of images whose features are nearest to the mean of the training images of their own class",
        (0, 1),
        "features",
    ),
    "separation_fuzziness": Score(
        "separation fuzziness",
        "trace of Sw pinv(Sb), for the scatter Sw within and Sb between the classes: 0 if each class is a point "
        "(He and Su 2023)",
        (0, np.inf),
        "features",
    ),
    "intrinsic_dimension": Score(
        "intrinsic dimension",
        "dimension of the features near the images, from the ratio of the distances of their two nearest training "
        "images, TwoNN (Facco et al. 2017)",
        (0, np.inf),
        "features",
    ),
    "knn_accuracy_map": Score(
        "kNN accuracy, map",
        f"share of images whose label wins the vote of their {N_VOTERS} nearest neighbors in the embedding",
        (0, 1),
        "map",
        partial(knn_accuracy, "map"),
    ),
    **{
        f"knn_preservation_{k}": Score(
            f"kNN preservation, k = {k}",
            f"share of the {k} nearest neighbors in the features that are among the {k} nearest in the embedding",
            (0, 1),
            "map",
            partial(knn_preservation, k),
        )
        for k in N_PRESERVED
    },
    "trustworthiness": Score(
        "trustworthiness",
        "1 if no neighbor in the embedding is distant in the features; lower by the ranks of those that are "
        "(Venna and Kaski 2001)",
        (0, 1),
        "map",
        partial(query_score, "trustworthiness"),
    ),
    "continuity": Score(
        "continuity",
        "1 if no neighbor in the features is distant in the embedding; lower by the ranks of those that are "
        "(Venna and Kaski 2001)",
        (0, 1),
        "map",
        partial(query_score, "continuity"),
    ),
    "silhouette_features": Score(
        "silhouette, features",
        "silhouette of the classes in the features: how much nearer an image is to its own class than to the next, "
        "from -1 to 1 (Rousseeuw 1987); comparable only in features of equal dimension",
        (-1, 1),
        "features",
        partial(query_score, "silhouette_features"),
        comparable=False,
    ),
    "silhouette_map": Score(
        "silhouette, map",
        "silhouette of the classes in the embedding",
        (-1, 1),
        "map",
        partial(query_score, "silhouette_map"),
    ),
    "distance_correlation": Score(
        "rank correlation of distances",
        "Spearman's rank correlation between distances in the features and in the embedding",
        (-1, 1),
        "map",
        distance_correlation,
    ),
    "kl_divergence": Score(
        "KL divergence",
        "KL divergence that t-SNE minimizes, computed exactly, in nats, of all images that it embeds; "
        "comparable only between embeddings of the same features with equally many iterations",
        (0, np.inf),
        "map",
        comparable=False,
    ),
    "network_accuracy": Score("network accuracy", "accuracy of the network's own predictions", (0, 1), "network"),
}


def compute_outcomes(data: SplitData, spaces: Collection[str]) -> dict[str, np.ndarray | None]:
    """Return the outcomes of each image, by score, for the scores of some spaces that are computed from the data."""
    return {key: score.compute(data) for key, score in SCORES.items() if score.compute and score.space in spaces}


def mean_outcome(outcomes: np.ndarray | None) -> float | None:
    """Return the mean of the outcomes (n,) that are known; None if none is."""
    if outcomes is None or np.isnan(outcomes).all():
        return None
    return float(np.nanmean(outcomes, dtype=np.float64))
