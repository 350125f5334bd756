"""Score a map that run_peer.py has made, as those of all peers are scored; prints the scores as JSON."""

import json
import sys
from pathlib import Path

import numpy as np
from embed_tsne import kl_divergence
from run_peer import PERPLEXITY
from score_map import VOTERS, accuracy, kept
from sklearn.neighbors import NearestNeighbors

from common.files import atomic_write
from common.knn.index import search_exactly
from common.knn.results import drop_self
from common.tsne.affinities import affinities, n_neighbors

MEMORY = 2000  # MB


def exact_neighbors(features: np.ndarray, k: int, threads: int) -> dict[str, np.ndarray]:
    """The k nearest neighbors of each row of `features` (n, d), by an exact search: indices and distances (n, k)."""
    found = drop_self(*search_exactly(features, features, k + 1, MEMORY, threads), np.arange(len(features)))
    return dict(zip(("indices", "distances"), found, strict=True))


def scores(places: np.ndarray, labels: np.ndarray, neighbors: dict[str, np.ndarray]) -> dict[str, float]:
    """Of a map (n, 2) float32: its KL divergence, and by its 10 nearest neighbors what score_map says of them.

    `neighbors` are those of exact_neighbors, of which the affinities are computed; `labels` (n,) vote for each other.
    """
    in_map = NearestNeighbors(n_neighbors=VOTERS, algorithm="kd_tree").fit(places).kneighbors(return_distance=False)
    return {
        "kl_divergence": round(kl_divergence(places, affinities(neighbors, PERPLEXITY, threads=1).P), 6),
        "knn_preservation_10": round(kept(in_map, neighbors["indices"], VOTERS), 6),
        "knn_accuracy_map": round(accuracy(in_map, labels, labels), 6),
    }


def main(features_path: str, labels_path: str, map_path: str, neighbors_path: str, threads: str) -> None:
    """Print the scores of the map; the exact neighbors are searched once, and kept until the features change."""
    places = np.load(map_path)
    stored = Path(neighbors_path)
    if not stored.exists() or stored.stat().st_mtime < Path(features_path).stat().st_mtime:
        features = np.load(features_path, mmap_mode="r")[: len(places)]
        with atomic_write(stored) as part:
            np.savez(part, **exact_neighbors(features, n_neighbors(PERPLEXITY), int(threads)))
    print(json.dumps(scores(places, np.load(labels_path)[: len(places)], dict(np.load(stored)))))


if __name__ == "__main__":
    main(*sys.argv[1:])
