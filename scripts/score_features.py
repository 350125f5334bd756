"""Score a layer's features: by kNN accuracy over the number of voters and by three metrics, and without neighbors."""

import logging
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from common.files import atomic_write, save_json, save_npz
from common.inputs import load_array, load_classes, load_neighbors, load_rows
from common.knn.index import build_search, search_others
from common.knn.pca import fit_pca, project
from common.knn.views import StackedRows, UnitRows
from common.logs import run_logged
from common.names import SPLITS
from common.scoring.bootstrap import describe, resample_means
from common.scoring.dimension import estimate_dimension
from common.scoring.parameters import COMPONENTS, MAX_VOTERS, N_VOTERS, VOTER_COUNTS
from common.scoring.separation import measure_separation
from common.scoring.votes import vote_by_count

log = logging.getLogger("workflow")

COLUMNS = ("layer", "epoch", "network_seed", "split", "metric", "k", "accuracy", "low", "high")


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
    queries = StackedRows([features[split] for split in splits])
    own = {split: np.full(len(features[split]), -1) for split in splits}
    if "train" in splits:
        own["train"][numbers] = np.arange(len(numbers))
    found = numbers[search_others(search, queries, np.concatenate(list(own.values())), k)[0]]
    return dict(zip(splits, np.split(found, queries.bounds[1:-1]), strict=True))


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


def measure_features(
    splits: Mapping[str, Mapping[str, np.ndarray]],
) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """Return outcomes (n,), by "{split}_{score}", of the scores that need labels, and a record of how they were made.

    `splits` have the `features` (n, d) and `labels` (n,) of each split.
    """
    found, outcomes = measure_separation(splits), {}
    for split, rows in splits.items():
        for score, predicted in (("linear_probe", found.linear_probe), ("class_mean", found.class_means)):
            if predicted is not None:
                outcomes[f"{split}_{score}_accuracy"] = (predicted[split] == rows["labels"]).astype(np.float32)
        if found.fuzziness[split] is not None:
            outcomes[f"{split}_separation_fuzziness"] = found.fuzziness[split].astype(np.float32)
    record = {"linear_probe": {"strength": found.strength, "rows": found.n_probe_rows}, "undefined": found.reasons}
    return outcomes, record


def measure_dimensions(distances: Mapping[str, np.ndarray]) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """Return outcomes (n,), by "{split}_intrinsic_dimension", whose mean is the dimension, and a record.

    `distances` (n, k) are to the nearest neighbors, by split.
    """
    outcomes, record = {}, {}
    for split, found in distances.items():
        dimension, reason = estimate_dimension(found)
        if dimension is None:
            record[split] = {"undefined": reason}
            continue
        outcomes[f"{split}_intrinsic_dimension"] = dimension.outcomes.astype(np.float32)
        record[split] = {"standard_error": dimension.error, "left_out": dimension.n_left_out}
    return outcomes, record


def tabulate_votes(
    features: Mapping[str, np.ndarray],
    labels: Mapping[str, np.ndarray],
    neighbors: Mapping[str, np.ndarray],
    landmarks: np.ndarray | None,
    seed: int,
    memory_mb: float,
    threads: int,
) -> tuple[pd.DataFrame, dict[str, np.ndarray]]:
    """Return the table of score_votes, and the outcomes (n,) by "{split}_knn_accuracy_{metric}".

    `features` (n, d), `labels` (n,) and the nearest `neighbors` (n, k) in the features are by split. Metrics other than
    the Euclidean are for held-out images, if there are any.
    """
    held_out = [split for split in features if split != "train"] or ["train"]
    k = min(MAX_VOTERS, len(labels["train"] if landmarks is None else landmarks) - 1)
    by_metric = {"euclidean": neighbors}
    for metric in ("cosine", "pca"):
        transformed = transform_to(metric, features, seed)
        by_metric[metric] = find_voters(transformed, held_out, landmarks, k, seed, memory_mb, threads)
        log.info("%s: searched", metric)
    table, found = score_votes(by_metric, labels)
    outcomes = {
        f"{split}_knn_accuracy_{metric}": found[f"{split}_{metric}"]
        for metric in ("cosine", "pca")
        for split in held_out
        if f"{split}_{metric}" in found
    }
    return table, outcomes


if __name__ == "__main__":
    layer, params, paths = snakemake.wildcards.layer, snakemake.params, snakemake.input
    with run_logged(snakemake.log[0], f"score_features {layer}"):
        files = zip(SPLITS, paths.features, paths.labels, paths.neighbors, strict=True)
        features, labels, neighbors, distances = {}, {}, {}, {}
        for split, features_path, labels_path, neighbors_path in files:
            rows, truth = load_rows(features_path, labels_path)
            if len(rows):
                found = load_neighbors(neighbors_path, features_path)
                features[split], labels[split] = rows, truth
                neighbors[split], distances[split] = found["indices"], found["distances"]
        outcomes, record = measure_dimensions(distances)
        record = {"intrinsic_dimension": record}
        table = pd.DataFrame(columns=COLUMNS)
        if load_classes(paths.classes):
            splits = {split: {"features": rows, "labels": labels[split]} for split, rows in features.items()}
            separated, made = measure_features(splits)
            landmarks = load_array(paths.landmarks) if paths.landmarks else None
            memory_mb, threads = snakemake.resources.block_mb, snakemake.threads
            table, voted = tabulate_votes(features, labels, neighbors, landmarks, params.seed, memory_mb, threads)
            table = table.assign(layer=layer, epoch=params.epoch, network_seed=params.network_seed)[list(COLUMNS)]
            outcomes, record = outcomes | separated | voted, record | made
        with atomic_write(snakemake.output.table) as part:
            table.to_csv(part, index=False, float_format="%.6g")
        save_npz(snakemake.output.outcomes, outcomes)
        save_json(snakemake.output.record, record)
