"""A whole run of the workflow on a small data set: the files that it makes, and what is in them."""

import json

import numpy as np
import pandas as pd
import pytest

from common.names import SPLITS, SUFFIXES
from common.scoring.parameters import VOTER_COUNTS
from helpers import FIGURES, LAYERS

SIZES = {"train": 1297, "validation": 250, "test": 250}
DIMENSIONS = dict(zip(LAYERS, (784, 3920, 1960, 200), strict=True))


def test_one_command_makes_every_figure_as_eps_and_png(finished):
    figures = {path.name for path in (finished.folder / "results/figures").iterdir()}
    assert figures == {f"{name}.{suffix}" for name in FIGURES for suffix in ("eps", "png")}


def test_data_keeps_its_contract(finished, pairs):
    for split, (rows, labels) in zip(("train", "validation", "test"), pairs, strict=True):
        images = np.load(finished.folder / f"results/Small/data/{split}_images.npy")
        assert images.shape == (len(rows), 28, 28, 1) and images.dtype == np.float32
        assert np.array_equal(images.reshape(len(rows), -1), rows)
        assert np.array_equal(np.load(finished.folder / f"results/Small/data/{split}_labels.npy"), labels)


def test_network_learns_and_its_history_has_a_row_an_epoch(finished):
    history = pd.read_csv(finished.folder / "results/Small/network/history.csv")
    assert list(history.columns) == ["epoch", "batch_size", "passes", "loss", "accuracy", "val_loss", "val_accuracy"]
    assert list(history.epoch) == [1, 2, 3, 4] and list(history.batch_size) == [32, 32, 32, 64]
    assert history.val_accuracy.iloc[-1] > 0.9


def test_training_has_two_threads_although_the_default_profile_counts_one(finished):
    log = (finished.folder / "logs/train_network/Small.log").read_text()
    record = json.loads((finished.folder / "benchmarks/train_network/Small.jsonl").read_text())
    assert "on 2 threads" in log and record["threads"] == 1


def test_features_keep_their_contract(finished):
    for (split, size), suffix in zip(SIZES.items(), SUFFIXES, strict=True):
        for layer, width in DIMENSIONS.items():
            features = np.load(finished.folder / f"results/Small/features/{layer}{suffix}.npy")
            assert features.shape == (size, width) and features.dtype == np.float32 and features.flags.c_contiguous
            assert np.isfinite(features).all()
        images = np.load(finished.folder / f"results/Small/data/{split}_images.npy")
        pixels = np.load(finished.folder / f"results/Small/features/pixel{suffix}.npy")
        assert np.array_equal(pixels, images.reshape(size, 784))


@pytest.mark.parametrize("layer", LAYERS)
def test_neighbors_keep_their_contract(finished, layer):
    """Those of each split are training images, and those of the embedding are images of any split."""
    features = [np.load(finished.folder / f"results/Small/features/{layer}{suffix}.npy") for suffix in SUFFIXES]
    files = [(f"{layer}{suffix}", rows, features[0], 50) for suffix, rows in zip(SUFFIXES, features, strict=True)]
    every = np.concatenate(features)
    for name, queries, rows, k in [*files, (f"{layer}_joint", every, every, 45)]:
        neighbors = np.load(finished.folder / f"results/Small/neighbors/{name}.npz")
        assert neighbors["indices"].shape == neighbors["distances"].shape == (len(queries), k)
        assert neighbors["indices"].dtype == np.int32 and neighbors["distances"].dtype == np.float32
        assert neighbors["method"] == "exact" and neighbors["recall"] == 1
        some = np.arange(0, len(queries), 50)
        distances = np.linalg.norm(queries[some, None] - rows[neighbors["indices"][some]], axis=2)
        assert np.allclose(neighbors["distances"][some], distances, rtol=1e-3, atol=1e-2)


@pytest.mark.parametrize("layer", LAYERS)
def test_maps_keep_their_contract_and_separate_the_digits(finished, layer):
    train = np.load(finished.folder / f"results/Small/maps/{layer}.npy")
    labels = {split: np.load(finished.folder / f"results/Small/data/{split}_labels.npy") for split in SPLITS}
    for (split, size), suffix in zip(SIZES.items(), SUFFIXES, strict=True):
        coordinates = np.load(finished.folder / f"results/Small/maps/{layer}{suffix}.npy")
        assert coordinates.shape == (size, 2) and coordinates.dtype == np.float32 and np.isfinite(coordinates).all()
        distances = np.linalg.norm(coordinates[:, None] - train, axis=2)
        if split == "train":
            np.fill_diagonal(distances, np.inf)
        assert (labels["train"][distances.argmin(axis=1)] == labels[split]).mean() > 0.9
    record = json.loads((finished.folder / f"results/Small/maps/{layer}.json").read_text())
    assert record["backend"] == "openTSNE" and record["perplexity"] == 15
    assert record["images"] == 1297 and record["held_out_images"] == 500
    assert record["neighbors"] == {"method": "exact", "recall": 1.0, "k": 45}
    assert 0.1 < record["kl_divergence"] < 1.2


def test_scores_keep_their_contract(finished):
    results = finished.folder / "results/Small"
    table = pd.read_csv(results / "layers.csv")
    before, table = table[table.epoch == 0], table[table.epoch.isna()]
    assert list(zip(before.layer, before.split, strict=True)) == [
        (name, split) for name in LAYERS[1:] for split in SPLITS
    ]
    assert before.network_accuracy.isna().all() and (before.network_seed == 1004).all()
    rows = [(layer, split, name) for layer in LAYERS for split in SPLITS for name in ("tsne", "pca", "random")]
    assert list(zip(table.layer, table.split, table.embedding, strict=True)) == rows
    assert (table.rows == table.split.map(SIZES)).all() and (table.dimensions == table.layer.map(DIMENSIONS)).all()
    assert (table.tsne_seed == 1004).all()
    assert (table.network_seed.dropna() == 1004).all() and (table.network_seed.isna() == (table.layer == "pixel")).all()
    of_map = ["knn_accuracy_map", "knn_preservation_10", "knn_preservation_30", "trustworthiness", "continuity"]
    tsne, baselines = table[table.embedding == "tsne"], table[table.embedding != "tsne"]
    assert tsne[["knn_accuracy_features", *of_map]].stack().between(0.3, 1).all()
    assert (tsne[["knn_accuracy_features", "knn_accuracy_map"]] > 0.85).all(axis=None)
    assert baselines[of_map].notna().all(axis=None) and baselines.knn_accuracy_features.isna().all()
    better = [name for name in of_map if name != "continuity"]
    best = baselines.groupby(["layer", "split"])[better].max()
    assert (tsne.set_index(["layer", "split"])[better].sort_index() > best).all(axis=None)
    for metric in ("cosine", "pca"):
        scores = tsne[f"knn_accuracy_{metric}"]
        assert scores[tsne.split != "train"].between(0.85, 1).all() and scores[tsne.split == "train"].isna().all()
    assert (tsne.kl_divergence.notna() == (tsne.split == "train")).all()
    assert (tsne.network_accuracy.notna() == (tsne.layer != "pixel")).all()
    assert tsne.network_accuracy.dropna().between(0.85, 1).all()


def test_summary_of_the_scores_has_their_intervals_and_differences(finished):
    results = finished.folder / "results/Small"
    table = pd.read_csv(results / "layers.csv")
    table = table[(table.embedding == "tsne") & table.epoch.isna()].set_index(["layer", "split"])
    summary = json.loads((results / "layers.json").read_text())
    assert list(summary["layers"]) == list(LAYERS) and summary["best"]["features"] in LAYERS
    for number, (layer, entry) in enumerate(summary["layers"].items()):
        means = {split: entry[split]["knn_preservation_10"]["mean"] for split in SPLITS}
        for split in SPLITS:
            score = entry[split]["knn_preservation_10"]
            assert score["mean"] == pytest.approx(table.knn_preservation_10[layer, split], abs=1e-5)
            assert score["low"] < score["mean"] < score["high"]
        assert entry["memorization"]["knn_preservation_10"]["mean"] == means["train"] - means["validation"]
        assert entry["shift"]["knn_preservation_10"]["mean"] == means["validation"] - means["test"]
        assert set(entry["baselines"]) == {"pca", "random"}
        assert ("gain" in entry) == ("learned" in entry) == ("given" in entry) == (number > 0)
    gain = summary["layers"]["conv2"]["gain"]
    scores = [summary["layers"][layer]["test"]["knn_accuracy_features"]["mean"] for layer in ("conv2", "conv1")]
    assert gain["over"] == "conv1" and gain["test"]["knn_accuracy_features"]["mean"] == scores[0] - scores[1]
    dense3 = summary["layers"]["dense3"]["learned"]["test"]
    for score, sign in {"linear_probe_accuracy": 1, "class_mean_accuracy": 1, "separation_fuzziness": -1}.items():
        assert sign * dense3[score]["mean"] > 0 and dense3[score]["low"] < dense3[score]["mean"] < dense3[score]["high"]


def test_table_of_knn_accuracies_has_all_metrics_and_numbers_of_voters(finished):
    table = pd.read_csv(finished.folder / "results/Small/knn.csv")
    assert set(table[table.epoch == 0].layer) == set(LAYERS[1:])
    table = table[table.epoch.isna()]
    assert list(table.columns) == ["layer", "epoch", "network_seed", "split", "metric", "k", "accuracy", "low", "high"]
    searches = [("train", "euclidean"), ("validation", "euclidean"), ("test", "euclidean")]
    searches += [(split, metric) for metric in ("cosine", "pca") for split in ("validation", "test")]
    expected = [(layer, *search, k) for layer in LAYERS for search in searches for k in VOTER_COUNTS]
    assert list(zip(table.layer, table.split, table.metric, table.k, strict=True)) == expected
    assert table.accuracy.between(0.7, 1).all()
    varied = table.dropna(subset="low")
    assert len(varied) > 0.9 * len(table)
    assert ((varied.low <= varied.accuracy) & (varied.accuracy <= varied.high)).all()
    layers = pd.read_csv(finished.folder / "results/Small/layers.csv")
    layers = layers[(layers.embedding == "tsne") & layers.epoch.isna()].set_index(["layer", "split"])
    columns = {"euclidean": "features", "cosine": "cosine", "pca": "pca"}
    for row in table[table.k == 10].itertuples():
        score = layers.loc[(row.layer, row.split), f"knn_accuracy_{columns[row.metric]}"]
        assert row.accuracy == pytest.approx(score, abs=1e-5)


def test_table_of_coordinates_has_a_row_an_image(finished):
    table = pd.read_csv(finished.folder / "results/Small/maps.csv")
    of_layers = [f"{layer}_{name}" for layer in LAYERS for name in ("x", "y", "knn")]
    assert list(table.columns) == ["id", "split", "label", "prediction", "confidence", "prediction_depth", *of_layers]
    assert list(table.split) == [split for split, size in SIZES.items() for _ in range(size)]
    assert set(table.prediction_depth) <= {*LAYERS, "network"} and (table.prediction_depth == "pixel").mean() > 0.7
    scores = pd.read_csv(finished.folder / "results/Small/layers.csv")
    scores = scores[scores.epoch.isna()].set_index(["layer", "split", "embedding"])
    for split, suffix in zip(SPLITS, SUFFIXES, strict=True):
        rows = table[table.split == split]
        labels = np.load(finished.folder / f"results/Small/data/{split}_labels.npy")
        assert (rows.id.to_numpy() == np.arange(len(labels))).all() and (rows.label.to_numpy() == labels).all()
        assert (rows.prediction == rows.label).mean() > 0.85 and rows.confidence.between(0.1, 1).all()
        coordinates = np.load(finished.folder / f"results/Small/aligned/conv2{suffix}.npy")
        assert np.allclose(rows[["conv2_x", "conv2_y"]], coordinates, rtol=1e-5)
        for layer in LAYERS:
            accuracy = (rows[f"{layer}_knn"] == rows.label).mean()
            assert accuracy == pytest.approx(scores.knn_accuracy_features[layer, split, "tsne"], abs=1e-5)


def test_embeddings_are_rotated_to_that_of_the_pixels(finished):
    maps, aligned = (finished.folder / f"results/Small/{name}" for name in ("maps", "aligned"))
    first = np.load(maps / "pixel.npy")
    assert np.allclose(np.load(aligned / "pixel.npy"), first - first.mean(axis=0), atol=1e-3)
    for layer in LAYERS:
        every, moved = (
            np.concatenate([np.load(folder / f"{layer}{suffix}.npy") for suffix in SUFFIXES])
            for folder in (maps, aligned)
        )
        distances = (np.linalg.norm(points[0] - points, axis=1) for points in (every, moved))
        assert np.allclose(*distances, rtol=1e-3, atol=1e-3), "held-out images move with the training images"
        after = moved[:1297]
        rotation = np.linalg.svd((after - after.mean(axis=0)).T @ (first - first.mean(axis=0)))
        assert np.allclose(rotation.U @ rotation.Vh, np.eye(2), atol=1e-3), "no other rotation brings it nearer"
