"""scikit-learn's digits in 64 dimensions, a PCA embedding of them, and their scores."""

from collections import Counter
from collections.abc import Callable

import numpy as np
import pytest
from score_map import score_map
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA
from sklearn.preprocessing import StandardScaler

from common.names import SPLITS

COUNTS = {"train": 250, "validation": 60, "test": 90}
K = 30  # neighbors, as many as score_map counts at most

Split = dict[str, np.ndarray]


def nearest_rows(queries: np.ndarray, rows: np.ndarray, k: int, exclude_self: bool = False) -> np.ndarray:
    """Return the k nearest rows of each query, (m, k), by brute force."""
    distances = np.linalg.norm(queries[:, None].astype(np.float64) - rows, axis=2)
    if exclude_self:
        np.fill_diagonal(distances, np.inf)
    return np.argsort(distances, axis=1, kind="stable")[:, :k]


def count_votes(labels: np.ndarray) -> np.ndarray:
    """Return the most common of each row's labels (m, k), (m,); of those with equal counts, the first in the row."""
    return np.array([Counter(row.tolist()).most_common(1)[0][0] for row in labels])


def make_splits(
    features: np.ndarray, coordinates: np.ndarray, labels: np.ndarray, counts: dict[str, int]
) -> dict[str, Split]:
    """Return the input of score_map: rows of each split, one split after the other."""
    bounds = np.cumsum([0, *(counts[split] for split in SPLITS)])
    splits = {}
    for split, start, stop in zip(SPLITS, bounds, bounds[1:], strict=False):
        rows = slice(start, stop)
        splits[split] = {
            "features": features[rows],
            "coordinates": coordinates[rows],
            "labels": labels[rows],
            "neighbors": nearest_rows(features[rows], features[: counts["train"]], K, exclude_self=split == "train"),
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
def most_common() -> Callable[[np.ndarray], np.ndarray]:
    """The function that counts votes with the standard library."""
    return count_votes


@pytest.fixture(scope="session")
def rows() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Features (n, 64), coordinates (n, 2) and labels (n,) of digits in their original order."""
    digits = load_digits()
    count = sum(COUNTS.values())
    features = StandardScaler().fit_transform(digits.data)[:count].astype(np.float32)
    return features, PCA(2, random_state=0).fit_transform(features), digits.target[:count]


@pytest.fixture(scope="session")
def classes() -> list[str]:
    return [f"digit {number}" for number in range(10)]


@pytest.fixture(scope="session")
def digits(rows) -> dict[str, Split]:
    return make_splits(*rows, COUNTS)


@pytest.fixture(scope="session")
def scored(digits, classes) -> tuple[dict[str, dict], dict[str, np.ndarray]]:
    """The scores of the digits by split, with baselines, and the outcomes."""
    return score_map(digits, classes, np.arange(COUNTS["train"]), with_baselines=True)


@pytest.fixture(scope="session")
def scores(scored) -> dict[str, dict]:
    return scored[0]


@pytest.fixture(scope="session")
def outcomes(scored) -> dict[str, np.ndarray]:
    return scored[1]


def fill(mean: float, start: int, count: int = 100) -> np.ndarray:
    """Return outcomes (count,) of which the share `mean` is 1, in one run from the row `start` on."""
    return np.roll(np.arange(count) < round(mean * count), start).astype(np.float32)


def make_layer(
    layer: str, seed: int | None, accuracies: dict[str, float], tsne_seed: int = 1, start: int = 0
) -> tuple[dict, dict[str, np.ndarray]]:
    """Return what score_map writes of a layer: its entry, with a baseline, and outcomes with these kNN accuracies.

    A split without accuracy has no images.
    """
    entry = {"layer": layer, "dimensions": 3, "of_network": layer != "pixel", "network_seed": seed, "epoch": None}
    entry |= {"tsne_seed": tsne_seed, "train": {}, "validation": {}, "test": {}}
    outcomes = {}
    for split in SPLITS:
        entry[split] = {"rows": 100 if split in accuracies else 0}
        if split in accuracies:
            outcomes[f"{split}_knn_accuracy_features"] = fill(accuracies[split], start)
            outcomes[f"{split}_knn_accuracy_map"] = fill(accuracies[split] - 0.1, start)
            outcomes[f"{split}_silhouette_features"] = fill(accuracies[split] - 0.2, start)
            entry[split]["baseline_pca"] = {"knn_accuracy_map": 0.5, "trustworthiness": None}
    if "train" in accuracies:
        entry["train"]["kl_divergence"] = 1.5
    return entry, outcomes


@pytest.fixture(scope="session")
def layer() -> Callable[..., tuple[dict, dict[str, np.ndarray]]]:
    """The function that makes the entry and the outcomes of a layer."""
    return make_layer


@pytest.fixture(scope="session")
def two_layers() -> tuple[list[dict], list[dict], dict]:
    """Entries and outcomes of two layers, the second one of two networks, and whether the networks are right."""
    layers = [
        make_layer("pixel", None, {"train": 0.9, "validation": 0.85, "test": 0.8}),
        make_layer("dense", 1, {"train": 1.0, "validation": 0.95, "test": 0.9}, start=3),
        make_layer("dense", 2, {"train": 0.98, "validation": 0.93, "test": 0.94}, start=5),
    ]
    accuracies = {1: {"train": 0.99, "validation": 0.98, "test": 0.97}, 2: {"train": 0.97, "test": 0.95}}
    accuracies[2]["validation"] = 0.96
    networks = {seed: {split: fill(share, seed) for split, share in by.items()} for seed, by in accuracies.items()}
    entries, outcomes = zip(*layers, strict=True)
    return list(entries), list(outcomes), networks
