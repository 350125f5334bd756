"""Score a layer and its embedding on the images of each split, and two baselines of the embedding."""

import logging
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from scipy.spatial import KDTree

from common.files import save_json, save_npz
from common.inputs import load_array, load_classes, load_json, load_neighbors, load_rows
from common.knn.results import drop_self
from common.logs import run_logged
from common.names import SPLITS
from common.scoring.baselines import make_baselines
from common.scoring.data import SplitData
from common.scoring.parameters import N_PRESERVED, N_QUERIES, N_VOTERS
from common.scoring.queries import Queries, measure_queries
from common.scoring.scores import SCORES, compute_outcomes, mean_outcome, rank_distances
from common.scoring.votes import vote

log = logging.getLogger("workflow")

COMPUTED = [key for key, score in SCORES.items() if score.compute]
Split = Mapping[str, np.ndarray]


def find_map_neighbors(coordinates: Mapping[str, np.ndarray], landmarks: np.ndarray) -> dict[str, np.ndarray]:
    """Return the max(N_PRESERVED) nearest `landmarks` (N,), training rows, of each point (n, 2), by split, as (n, k).

    A landmark is not a neighbor of itself.
    """
    k, train = max(N_PRESERVED), coordinates["train"]
    index = KDTree(train[landmarks])
    found = {}
    for split, points in coordinates.items():
        if not len(points):
            found[split] = np.zeros((0, k), int)
            continue
        distances, indices = index.query(points, k + 1)
        own = np.arange(len(points)) if split == "train" else np.full(len(points), -1)
        found[split], _ = drop_self(landmarks[indices], distances, own)
    return found


def average_by_class(values: np.ndarray, labels: np.ndarray, classes: Sequence[str]) -> dict[str, float | None]:
    """Return the mean of the values (n,) that are known, by class name; labels (n,) number the classes."""
    return {name: mean_outcome(values[labels == label]) for label, name in enumerate(classes) if label in labels}


def score_map(
    splits: Mapping[str, Split], classes: list[str], landmarks: np.ndarray, with_baselines: bool = False
) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """Return the scores by split, and the outcomes of the images that they are the means of, by "{split}_{score}".

    Each split has `features` (n, d), `neighbors` (n, k) among the training images' features, nearest first,
    `coordinates` (n, 2) in the embedding, and `labels` (n,), numbers of the `classes`. Neighbors in the embedding are
    searched among the rows that t-SNE embedded, `landmarks` (N,), without the image itself. N_QUERIES random rows of
    each split are compared with all training images. A score is None if it is not defined, as all are without images.
    `with_baselines` adds "baseline_{name}", the same scores of the embeddings of make_baselines. The outcomes have the
    vote of the neighbors, too, "{split}_vote".
    """
    maps = {"map": {split: rows["coordinates"] for split, rows in splits.items()}}
    if with_baselines:
        maps |= make_baselines({split: rows["features"] for split, rows in splits.items()}, seed=0)
    map_neighbors = {name: find_map_neighbors(coordinates, landmarks) for name, coordinates in maps.items()}
    scores, outcomes = {}, {}
    for split, rows in splits.items():
        count, labels = len(rows["labels"]), rows["labels"]
        if not count:
            scores[split] = {"rows": 0, "queries": 0} | dict.fromkeys(COMPUTED)
            continue
        queries = np.sort(np.random.default_rng(0).permutation(count)[:N_QUERIES])
        measured = measure_queries(pose_queries(splits, split, queries, maps))
        distance_ranks = rank_distances(rows["features"])
        scores[split] = {"rows": count, "queries": len(queries)}
        for name, coordinates in maps.items():
            data = SplitData(
                features=rows["features"],
                coordinates=coordinates[split],
                labels=labels,
                classes=classes,
                neighbors=rows["neighbors"],
                map_neighbors=map_neighbors[name][split],
                voter_labels=splits["train"]["labels"],
                distance_ranks=distance_ranks,
                queries=queries,
                of_queries=measured[name],
            )
            found = compute_outcomes(data, ("features", "map") if name == "map" else ("map",))
            means = {key: mean_outcome(values) for key, values in found.items()}
            if name != "map":
                scores[split][f"baseline_{name}"] = means
                continue
            scores[split] |= means
            outcomes |= {
                f"{split}_{key}": values.astype(np.float32) for key, values in found.items() if values is not None
            }
        if classes:
            outcomes[f"{split}_vote"] = vote(splits["train"]["labels"][rows["neighbors"][:, :N_VOTERS]])
            scores[split]["silhouettes_by_class"] = {
                space: average_by_class(outcomes[f"{split}_silhouette_{space}"], labels, classes)
                for space in ("features", "map")
            }
            accuracies = (scores[split][f"knn_accuracy_{space}"] for space in ("features", "map"))
            log.info("%s: kNN accuracy in the features %.4f, in the map %.4f", split, *accuracies)
    return scores, outcomes


def pose_queries(
    splits: Mapping[str, Split], split: str, rows: np.ndarray, maps: Mapping[str, Mapping[str, np.ndarray]]
) -> Queries:
    """Return some rows (m,) of a split as queries; `maps` has coordinates (n, 2) by embedding and split."""
    return Queries(
        features=splits[split]["features"][rows],
        train_features=splits["train"]["features"],
        maps={name: (points[split][rows], points["train"]) for name, points in maps.items()},
        labels=splits[split]["labels"][rows],
        train_labels=splits["train"]["labels"],
        train_rows=rows if split == "train" else np.full(len(rows), -1),
    )


if __name__ == "__main__":
    layer = snakemake.wildcards.layer
    with run_logged(snakemake.log[0], f"score_map {layer}"):
        paths, params = snakemake.input, snakemake.params
        files = zip(SPLITS, paths.features, paths.neighbors, paths.map, paths.labels, strict=True)
        splits = {}
        for split, features, neighbors, coordinates, labels in files:
            names = ("features", "coordinates", "labels")
            splits[split] = dict(zip(names, load_rows(features, coordinates, labels), strict=True))
            splits[split]["neighbors"] = load_neighbors(neighbors, features)["indices"]
        landmarks = load_array(paths.landmarks) if paths.landmarks else np.arange(len(splits["train"]["labels"]))
        scores, outcomes = score_map(splits, load_classes(paths.classes), landmarks, params.with_baselines)
        scores = {
            "layer": layer,
            "dimensions": splits["train"]["features"].shape[1],
            "of_network": params.of_network,
            "network_seed": params.network_seed,
            "epoch": params.epoch,
            "tsne_seed": params.tsne_seed,
            **scores,
        }
        record = load_json(paths.record)
        scores["train"]["kl_divergence"] = record["kl_divergence"]
        scores["r_squared"] = record["r_squared"]
        save_npz(snakemake.output.outcomes, outcomes)
        save_json(snakemake.output.scores, scores)
