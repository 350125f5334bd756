"""Say in numbers how well a layer keeps the classes apart, and how well its map keeps the layer."""

import json
import logging
from collections.abc import Sequence
from typing import Any

import numpy as np
from scipy.stats import mode, spearmanr
from sklearn.manifold import trustworthiness
from sklearn.metrics import pairwise_distances, silhouette_samples
from sklearn.neighbors import NearestNeighbors

from common.arrays import load, load_classes, load_json, load_neighbors, load_rows
from common.files import whole
from common.jobs import job
from common.neighbors import without_self
from common.pieces import fitting
from common.scoring import KEPT, PAIRED, SAMPLE, VOTERS
from common.tables import SCORES

log = logging.getLogger("workflow")

SAMPLE_MB = 2000  # of features, which the SAMPLE must fit into
UNKNOWN = [name for name in SCORES if name != "network_accuracy"]  # of no images


def accuracy(indices: np.ndarray, labels: np.ndarray, truth: np.ndarray) -> float:
    """How often the labels (n,) of the nearest VOTERS of the neighbors (m, k) vote for the `truth` (m,), m > 0.

    Of labels with as many votes the smallest counts.
    """
    return float((mode(labels[indices[:, :VOTERS]], axis=1).mode == truth).mean())


def kept(found: np.ndarray, true: np.ndarray, k: int, block: int = 10_000) -> float:
    """The share of the k nearest of the `true` neighbors (m, at least k) that are among the k nearest `found` ones."""
    count = 0
    for start in range(0, len(found), block):
        rows = slice(start, start + block)
        count += (found[rows, :k, None] == true[rows, None, :k]).sum()
    return float(count / (len(found) * k))


def silhouette(distances: np.ndarray, labels: np.ndarray, classes: Sequence[str]) -> dict[str, Any]:
    """The mean silhouette of all rows, and of each class's, from distances (m, m) and labels (m,) (Rousseeuw 1987).

    None where it is not defined, with a single class or none.
    """
    found = np.unique(labels)
    if not classes or not 1 < len(found) < len(labels):
        return {"mean": None, "by_class": None}
    values = silhouette_samples(distances, labels, metric="precomputed")
    by_class = {classes[label]: float(values[labels == label].mean()) for label in found}
    return {"mean": float(values.mean()), "by_class": by_class}


def score_sample(
    features: np.ndarray, places: np.ndarray, labels: np.ndarray, classes: Sequence[str]
) -> dict[str, Any]:
    """What needs all pairs, of the rows of a random sample: features (m, d), places (m, 2) in the map, labels (m,).

    Trustworthiness, which is lowered by neighbors in the map that are none in the features, and continuity, by those in
    the features that are none in the map (Venna and Kaski 2001), neighbors within the sample; silhouettes of the
    classes in both; Spearman's rank correlation of the distances of the first PAIRED rows. None where there are too few
    rows, or all distances are the same.
    """
    distances = {"features": pairwise_distances(features), "map": pairwise_distances(places)}
    for matrix in distances.values():
        np.fill_diagonal(matrix, 0)
    scores = {"sample": len(labels)}
    scores |= {f"{space}_silhouette": silhouette(matrix, labels, classes) for space, matrix in distances.items()}
    for name, space, found in ("trustworthiness", "features", places), ("continuity", "map", features):
        enough = len(labels) > 2 * VOTERS
        settings = {"n_neighbors": VOTERS, "metric": "precomputed"}
        scores[name] = float(trustworthiness(distances[space], found, **settings)) if enough else None
    pairs = np.triu_indices(min(PAIRED, len(labels)), 1)
    ranked = [matrix[pairs] for matrix in distances.values()]
    varied = all(len(values) and np.ptp(values) > 0 for values in ranked)
    scores["distance_correlation"] = float(spearmanr(*ranked).statistic) if varied else None
    return scores


def score_map(
    features: np.ndarray,
    neighbors: np.ndarray,
    places: np.ndarray,
    labels: np.ndarray,
    test: tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray],
    classes: Sequence[str],
    landmarks: np.ndarray,
) -> dict[str, dict[str, Any]]:
    """The scores on the training images, `train`, and on those that network and map have not seen, `test`.

    Features (n, d), neighbors (n, k) in them, nearest first, places (n, 2) in the map and labels (n,), and in `test`
    the same of the test images; `classes` names what the labels number. Neighbors and voters are always rows that
    t-SNE has laid out, `landmarks` (N,), but for the row itself. What is not known is None: of no test images
    everything, and without classes what needs labels. On all rows: the accuracy of the neighbors' vote in the features
    and in the map, and the share of the nearest neighbors in the features that are among the nearest in the map. On a
    random sample of SAMPLE rows of the split, or of as many as SAMPLE_MB hold: what score_sample says, of these
    rows among themselves.
    """
    index = NearestNeighbors(n_neighbors=max(KEPT) + 1, algorithm="kd_tree").fit(places[landmarks])
    scores = {}
    for split, rows in {"train": (features, neighbors, places, labels), "test": test}.items():
        its_features, its_neighbors, its_places, truth = rows
        if not len(truth):
            scores[split] = {"rows": 0} | dict.fromkeys(UNKNOWN)
            continue
        distances, found = index.kneighbors(its_places)
        own = np.arange(len(truth)) if split == "train" else np.full(len(truth), -1)
        in_map, _ = without_self(landmarks[found], distances, own)
        sample = np.random.default_rng(0).permutation(len(truth))[: min(SAMPLE, fitting(SAMPLE_MB, features.shape[1]))]
        scores[split] = {
            "rows": len(truth),
            "features_accuracy": accuracy(its_neighbors, labels, truth) if classes else None,
            "map_accuracy": accuracy(in_map, labels, truth) if classes else None,
            **{f"kept_{k}": kept(in_map, its_neighbors, k) for k in KEPT},
            **score_sample(its_features[sample], its_places[sample], truth[sample], classes),
        }
        log.info("%s: %.4f of the 10 nearest neighbors are kept", split, scores[split]["kept_10"])
        if classes:
            shares = (scores[split][f"{space}_accuracy"] for space in ("features", "map"))
            log.info("%s: labels right in the features %.4f, in the map %.4f", split, *shares)
    return scores


if __name__ == "__main__":
    layer = snakemake.wildcards.layer
    with job(snakemake.log[0], f"score_map {layer}"):
        paths, params = snakemake.input, snakemake.params
        features, places, labels = load_rows(paths.features, paths.map, paths.labels)
        test_features, test_places, test_labels = load_rows(paths.test_features, paths.test_map, paths.test_labels)
        neighbors = load_neighbors(paths.neighbors, paths.features)["indices"]
        test_neighbors = load_neighbors(paths.test_neighbors, paths.test_features)["indices"]
        test = test_features, test_neighbors, test_places, test_labels
        landmarks = load(paths.landmarks) if paths.landmarks else np.arange(len(places))
        data = features, neighbors, places, labels, test
        scores = {
            "layer": layer,
            "dimensions": features.shape[1],
            "of_network": params.of_network,
            "network_seed": params.network_seed,
            "tsne_seed": params.tsne_seed,
            **score_map(*data, load_classes(paths.classes), landmarks),
        }
        scores["train"]["kl_divergence"] = load_json(paths.facts)["kl_divergence"]
        with whole(snakemake.output.scores) as part:
            part.write_text(json.dumps(scores, indent=2) + "\n")
