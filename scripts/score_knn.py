"""Score a layer by kNN accuracy over the number of voters, by three metrics."""

import logging
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from common.files import atomic_write, save_npz
from common.inputs import load_array, load_classes, load_neighbors, load_rows
from common.knn.index import build_search, search_others
from common.knn.pca import fit_pca, project
from common.knn.views import UnitRows
from common.logs import run_logged
from common.names import SPLITS
from common.scoring.bootstrap import describe, resample_means
from common.scoring.parameters import COMPONENTS, MAX_VOTERS, N_VOTERS, VOTER_COUNTS
from common.scoring.votes import vote_by_count

log = logging.getLogger("workflow")

COLUMNS = ("layer", "network_seed", "split", "metric", "k", "accuracy", "low", "high")


def transform_to(metric: str, features: Mapping[str, np.ndarray], seed: int) -> dict[str, np.ndarray]:
    """Return features (n, d) by split whose Euclidean distances rank as the metric does.

    The metric is "cosine", or "pca", the Euclidean distance in the first COMPONENTS principal components of the
    training images.
    """
    if metric == "cosine":
        return {split: UnitRows(rows) for split, rows in features.items()}
    fitted = fit_pca(features["train"], min(COMPONENTS, *features["train"].shape), seed)
    return {split: project(rows, *fitted) for split, rows in features.items()}


def find_voters(
    features: Mapping[str, np.ndarray],
    splits: Sequence[str],
    landmarks: np.ndarray | None,
    k: int,
    seed: int,
    memory_mb: float,
    threads: int,
) -> dict[str, np.ndarray]:
    """Return the k nearest training rows of each row of some splits, itself left out, (n, k) by split.

    With `landmarks` (N,), ascending row numbers, they are landmarks.
    """
    rows = features["train"] if landmarks is None else features["train"][landmarks]
    numbers = np.arange(len(rows)) if landmarks is None else landmarks
    search, _ = build_search(rows, k, seed, memory_mb, threads)
    found = {}
    for split in splits:
        if split == "train":
            every = np.arange(len(features[split]))
            own = np.where(np.isin(every, numbers), np.searchsorted(numbers, every), -1)
            found[split] = numbers[search_others(search, features[split], own, k)[0]]
        else:
            found[split] = numbers[search(features[split], k)[0]]
    return found


def score_votes(
    neighbors: Mapping[str, Mapping[str, np.ndarray]], labels: Mapping[str, np.ndarray]
) -> tuple[pd.DataFrame, dict[str, np.ndarray]]:
    """Return the table of accuracies by metric, split and k, and the outcomes (n,) for N_VOTERS, "{split}_{metric}".

    `neighbors` (n, k) are training rows by metric and split, `labels` (n,) by split. Accuracies have 95 % intervals.
    """
    rows, outcomes = [], {}
    for metric, by_split in neighbors.items():
        for split, found in by_split.items():
            counts = [count for count in VOTER_COUNTS if count <= found.shape[1]]
            for k, votes in zip(counts, vote_by_count(labels["train"][found], counts), strict=True):
                correct = (votes == labels[split]).astype(np.float32)
                interval = describe(float(correct.mean()), resample_means([[correct]], SPLITS.index(split)))
                facts = {"split": split, "metric": metric, "k": k, "accuracy": interval["mean"]}
                rows.append(facts | {"low": interval["low"], "high": interval["high"]})
                if k == N_VOTERS:
                    outcomes[f"{split}_{metric}"] = correct
    return pd.DataFrame(rows), outcomes


if __name__ == "__main__":
    layer, params, paths = snakemake.wildcards.layer, snakemake.params, snakemake.input
    with run_logged(snakemake.log[0], f"score_knn {layer}"):
        table, outcomes = pd.DataFrame(columns=COLUMNS), {}
        if load_classes(paths.classes):
            files = dict(zip(SPLITS, zip(paths.features, paths.labels, paths.neighbors, strict=True), strict=True))
            features, labels, neighbors = {}, {}, {"euclidean": {}}
            for split, (features_path, labels_path, neighbors_path) in files.items():
                rows, truth = load_rows(features_path, labels_path)
                if len(rows):
                    features[split], labels[split] = rows, truth
                    neighbors["euclidean"][split] = load_neighbors(neighbors_path, features_path)["indices"]
            held_out = [split for split in features if split != "train"] or ["train"]
            landmarks = load_array(paths.landmarks) if paths.landmarks else None
            k = min(MAX_VOTERS, len(labels["train"] if landmarks is None else landmarks) - 1)
            for metric in ("cosine", "pca"):
                transformed = transform_to(metric, features, params.seed)
                memory_mb = snakemake.resources.block_mb
                neighbors[metric] = find_voters(
                    transformed, held_out, landmarks, k, params.seed, memory_mb, snakemake.threads
                )
                log.info("%s: searched", metric)
            table, found = score_votes(neighbors, labels)
            table = table.assign(layer=layer, network_seed=params.network_seed)[list(COLUMNS)]
            outcomes = {
                f"{split}_knn_accuracy_{metric}": found[f"{split}_{metric}"]
                for metric in ("cosine", "pca")
                for split in held_out
                if f"{split}_{metric}" in found
            }
        with atomic_write(snakemake.output.table) as part:
            table.to_csv(part, index=False, float_format="%.6g")
        save_npz(snakemake.output.outcomes, outcomes)
