"""Score an embedding by run_peer.py, in the same way for all peers; print the scores as JSON."""

import json
import sys
from pathlib import Path

import numpy as np
from run_peer import PERPLEXITY
from sklearn.neighbors import NearestNeighbors

from common.files import atomic_write
from common.knn.index import search_exactly
from common.knn.results import drop_self, recall
from common.scoring.parameters import N_VOTERS
from common.scoring.votes import vote
from common.tsne.affinities import compute_affinities
from common.tsne.objective import kl_divergence
from common.tsne.perplexity import n_neighbors

MEMORY_MB = 2000


def exact_neighbors(features: np.ndarray, k: int, threads: int) -> dict[str, np.ndarray]:
    """Return the k nearest neighbors of each row of `features` (n, d), exactly: `indices` and `distances` (n, k)."""
    neighbors = drop_self(*search_exactly(features, features, k + 1, MEMORY_MB, threads), np.arange(len(features)))
    return dict(zip(("indices", "distances"), neighbors, strict=True))


def score_embedding(coordinates: np.ndarray, labels: np.ndarray, neighbors: dict[str, np.ndarray]) -> dict[str, float]:
    """Return the KL divergence of an embedding (n, 2) float32, its kNN preservation, and its kNN accuracy.

    `neighbors` are the exact ones in the features, and the affinities are computed from them. `labels` are (n,).
    """
    index = NearestNeighbors(n_neighbors=N_VOTERS, algorithm="kd_tree").fit(coordinates)
    map_neighbors = index.kneighbors(return_distance=False)
    affinities = compute_affinities(neighbors, PERPLEXITY, threads=1)
    return {
        "kl_divergence": round(kl_divergence(coordinates, affinities.P), 6),
        "knn_preservation_10": round(recall(map_neighbors, neighbors["indices"][:, :N_VOTERS]), 6),
        "knn_accuracy_map": round(float((vote(labels[map_neighbors]) == labels).mean()), 6),
    }


def main(features_path: str, labels_path: str, embedding_path: str, neighbors_path: str, threads: str) -> None:
    """Print the scores of the embedding; the exact neighbors are stored until the features change."""
    coordinates = np.load(embedding_path)
    stored = Path(neighbors_path)
    if not stored.exists() or stored.stat().st_mtime < Path(features_path).stat().st_mtime:
        features = np.load(features_path, mmap_mode="r")[: len(coordinates)]
        with atomic_write(stored) as part:
            np.savez(part, **exact_neighbors(features, n_neighbors(PERPLEXITY), int(threads)))
    print(json.dumps(score_embedding(coordinates, np.load(labels_path)[: len(coordinates)], dict(np.load(stored)))))


if __name__ == "__main__":
    main(*sys.argv[1:])
