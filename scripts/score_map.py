"""Score a layer and its embedding, on the training images and on the test images."""

import logging
from collections.abc import Mapping
from typing import Any

import numpy as np
from sklearn.neighbors import NearestNeighbors

from common.files import save_json
from common.inputs import load_array, load_classes, load_json, load_neighbors, load_rows
from common.knn.chunks import rows_that_fit
from common.knn.results import drop_self
from common.logs import run_logged
from common.scoring.data import SplitData
from common.scoring.parameters import MAX_SAMPLE, N_PRESERVED
from common.scoring.scores import SCORES, compute_scores

log = logging.getLogger("workflow")

SAMPLE_MB = 2000  # limit for the features of the sample
NONE_KNOWN = {key: None for key in SCORES if key != "network_accuracy"}  # of a split without images


def score_map(
    train: Mapping[str, np.ndarray], test: Mapping[str, np.ndarray], classes: list[str], landmarks: np.ndarray
) -> dict[str, dict[str, Any]]:
    """Return the scores by split, `train` and `test`.

    Each split has `features` (n, d), `neighbors` (n, k) among the training images' features, nearest first,
    `coordinates` (n, 2) in the embedding, and `labels` (n,), numbers of the `classes`. Neighbors in the embedding are
    searched among the rows that t-SNE embedded, `landmarks` (N,), without the image itself. Scores that need all pairs
    use a random sample of MAX_SAMPLE rows of the split, or as many as SAMPLE_MB hold. A score is None if it is not
    defined, as all are without images.
    """
    index = NearestNeighbors(n_neighbors=max(N_PRESERVED) + 1, algorithm="kd_tree").fit(train["coordinates"][landmarks])
    scores = {}
    for split, rows in {"train": train, "test": test}.items():
        count = len(rows["labels"])
        if not count:
            scores[split] = {"rows": 0} | NONE_KNOWN
            continue
        distances, indices = index.kneighbors(rows["coordinates"])
        row_numbers = np.arange(count) if split == "train" else np.full(count, -1)
        map_neighbors, _ = drop_self(landmarks[indices], distances, row_numbers)
        size = min(MAX_SAMPLE, rows_that_fit(SAMPLE_MB, rows["features"].shape[1]))
        sample = np.random.default_rng(0).permutation(count)[:size]
        data = SplitData(
            **rows, classes=classes, map_neighbors=map_neighbors, voter_labels=train["labels"], sample=sample
        )
        scores[split] = {"rows": count, "sample": len(sample), **compute_scores(data)}
        log.info("%s: %.4f of the 10 nearest neighbors are preserved", split, scores[split]["knn_preservation_10"])
        if classes:
            accuracies = (scores[split][f"knn_accuracy_{space}"] for space in ("features", "map"))
            log.info("%s: kNN accuracy in the features %.4f, in the map %.4f", split, *accuracies)
    return scores


def load_split(prefix: str) -> dict[str, np.ndarray]:
    """Return what the inputs of the job have of one split."""
    paths = {name: snakemake.input[f"{prefix}{name}"] for name in ("features", "neighbors", "map", "labels")}
    features, coordinates, labels = load_rows(paths["features"], paths["map"], paths["labels"])
    neighbors = load_neighbors(paths["neighbors"], paths["features"])["indices"]
    return {"features": features, "neighbors": neighbors, "coordinates": coordinates, "labels": labels}


if __name__ == "__main__":
    layer = snakemake.wildcards.layer
    with run_logged(snakemake.log[0], f"score_map {layer}"):
        paths, params = snakemake.input, snakemake.params
        train, test = load_split(""), load_split("test_")
        landmarks = load_array(paths.landmarks) if paths.landmarks else np.arange(len(train["labels"]))
        scores = {
            "layer": layer,
            "dimensions": train["features"].shape[1],
            "of_network": params.of_network,
            "network_seed": params.network_seed,
            "tsne_seed": params.tsne_seed,
            **score_map(train, test, load_classes(paths.classes), landmarks),
        }
        scores["train"]["kl_divergence"] = load_json(paths.record)["kl_divergence"]
        save_json(snakemake.output.scores, scores)
