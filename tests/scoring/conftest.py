"""scikit-learn's digits in 64 dimensions, a PCA embedding of them, and their scores."""

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from compare_layers import tabulate
from score_map import score_map
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA
from sklearn.preprocessing import StandardScaler

N_TRAIN, N_TEST = 250, 90
K = 30  # neighbors, as many as the scores count at most

Split = dict[str, np.ndarray]


def nearest_rows(queries: np.ndarray, rows: np.ndarray, k: int, exclude_self: bool = False) -> np.ndarray:
    """Return the k nearest rows of each query, (m, k), by brute force."""
    distances = np.linalg.norm(queries[:, None].astype(np.float64) - rows, axis=2)
    if exclude_self:
        np.fill_diagonal(distances, np.inf)
    return np.argsort(distances, axis=1, kind="stable")[:, :k]


def make_splits(features: np.ndarray, coordinates: np.ndarray, labels: np.ndarray, n_train: int) -> dict[str, Split]:
    """Return the input of score_map: the first rows are the training images, the others the test images."""
    splits = {}
    for split, rows in {"train": slice(n_train), "test": slice(n_train, None)}.items():
        neighbors = nearest_rows(features[rows], features[:n_train], K, exclude_self=split == "train")
        splits[split] = {
            "features": features[rows],
            "coordinates": coordinates[rows],
            "labels": labels[rows],
            "neighbors": neighbors,
        }
    return splits


@pytest.fixture(scope="session")
def split_rows() -> Callable[..., dict[str, Split]]:
    """The function that makes the input of score_map."""
    return make_splits


@pytest.fixture(scope="session")
def nearest() -> Callable[..., np.ndarray]:
    """The function that finds nearest rows by brute force."""
    return nearest_rows


@pytest.fixture(scope="session")
def rows() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Features (n, 64), coordinates (n, 2) and labels (n,) of digits in their original order."""
    digits = load_digits()
    count = N_TRAIN + N_TEST
    features = StandardScaler().fit_transform(digits.data)[:count].astype(np.float32)
    return features, PCA(2, random_state=0).fit_transform(features), digits.target[:count]


@pytest.fixture(scope="session")
def classes() -> list[str]:
    return [f"digit {number}" for number in range(10)]


@pytest.fixture(scope="session")
def digits(rows) -> dict[str, Split]:
    return make_splits(*rows, N_TRAIN)


@pytest.fixture(scope="session")
def scores(digits, classes) -> dict[str, dict]:
    """The scores of the digits by split."""
    return score_map(**digits, classes=classes, landmarks=np.arange(N_TRAIN))


def layer_scores(layer: str, seed: int | None, accuracies: dict[str, float], tsne_seed: int = 1) -> dict:
    """Return what score_map writes of a layer, with these accuracies in the features by split."""
    entry = {"layer": layer, "dimensions": 3, "of_network": layer != "pixel", "network_seed": seed}
    for split, accuracy in accuracies.items():
        entry[split] = {
            "rows": 10,
            "knn_accuracy_features": accuracy,
            "knn_accuracy_map": accuracy - 0.1,
            "silhouette_map": {"mean": 0.5, "by_class": {"a": 0.5}},
        }
    return entry | {"tsne_seed": tsne_seed}


@pytest.fixture(scope="session")
def entry() -> Callable[..., dict]:
    """The function that makes the scores of a layer."""
    return layer_scores


@pytest.fixture
def table() -> pd.DataFrame:
    """The table of two layers, the second one of two networks."""
    entries = [
        layer_scores("pixel", None, {"train": 0.9, "test": 0.8}),
        layer_scores("dense", 1, {"train": 1.0, "test": 0.9}),
        layer_scores("dense", 2, {"train": 0.98, "test": 0.94}),
    ]
    return tabulate(entries, {1: {"train": 0.99, "test": 0.97}, 2: {"train": 0.98, "test": 0.96}})
