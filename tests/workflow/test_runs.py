"""A whole run of the workflow on a small data set: the files that it makes, and what is in them."""

import json

import numpy as np
import pandas as pd
import pytest

from helpers import FIGURES, LAYERS


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
    assert list(history.columns) == ["epoch", "batch_size", "loss", "accuracy", "val_loss", "val_accuracy"]
    assert list(history.epoch) == [1, 2, 3, 4] and list(history.batch_size) == [32, 32, 32, 64]
    assert history.val_accuracy.iloc[-1] > 0.9


def test_features_keep_their_contract(finished):
    for layer, width in zip(LAYERS, (784, 3920, 1960, 200), strict=True):
        features = np.load(finished.folder / f"results/Small/features/{layer}.npy")
        assert features.shape == (1297, width) and features.dtype == np.float32 and features.flags.c_contiguous
        assert np.isfinite(features).all()
    images = np.load(finished.folder / "results/Small/data/train_images.npy")
    pixels = np.load(finished.folder / "results/Small/features/pixel.npy")
    assert np.array_equal(pixels, images.reshape(1297, 784))


@pytest.mark.parametrize("layer", LAYERS)
def test_maps_keep_their_contract_and_separate_the_digits(finished, layer):
    coordinates = np.load(finished.folder / f"results/Small/maps/{layer}.npy")
    assert coordinates.shape == (1297, 2) and coordinates.dtype == np.float32 and np.isfinite(coordinates).all()
    labels = np.load(finished.folder / "results/Small/data/train_labels.npy")
    distances = np.linalg.norm(coordinates[:, None] - coordinates, axis=2)
    np.fill_diagonal(distances, np.inf)
    assert (labels[distances.argmin(axis=1)] == labels).mean() > 0.95
    record = json.loads((finished.folder / f"results/Small/maps/{layer}.json").read_text())
    assert record["backend"] == "openTSNE" and record["perplexity"] == 15 and record["images"] == 1297
    assert record["neighbors"] == {"method": "exact", "recall": 1.0, "k": 45}
    assert 0.1 < record["kl_divergence"] < 1.2


def test_scores_keep_their_contract(finished):
    results = finished.folder / "results/Small"
    table = pd.read_csv(results / "layers.csv")
    assert list(zip(table.layer, table.split, strict=True)) == [(la, s) for la in LAYERS for s in ("train", "test")]
    assert (table.tsne_seed == 1004).all() and table.network_seed.isna().tolist() == [True] * 2 + [False] * 6
    assert (table.rows == [1297, 250] * 4).all() and (table.dimensions == np.repeat([784, 3920, 1960, 200], 2)).all()
    shares = [
        "knn_accuracy_features",
        "knn_accuracy_map",
        "knn_preservation_10",
        "knn_preservation_30",
        "trustworthiness",
        "continuity",
    ]
    assert table[shares].stack().between(0.3, 1).all()
    assert (table[["knn_accuracy_features", "knn_accuracy_map"]] > 0.9).all(axis=None)
    assert table.kl_divergence.isna().tolist() == [False, True] * 4
    network = table.network_accuracy[table.layer != "pixel"]
    assert network.between(0.9, 1).all() and table.network_accuracy[table.layer == "pixel"].isna().all()
    summary = json.loads((results / "layers.json").read_text())
    assert list(summary["layers"]) == list(LAYERS) and summary["best"]["features"] in LAYERS
    assert summary["layers"]["pixel"]["train"]["kl_divergence"]["mean"] == pytest.approx(table.kl_divergence[0], 1e-4)


def test_table_of_coordinates_has_a_row_an_image(finished):
    table = pd.read_csv(finished.folder / "results/Small/maps.csv")
    coordinate_columns = [f"{layer}_{axis}" for layer in LAYERS for axis in "xy"]
    assert list(table.columns) == ["id", "split", "label", "prediction", "confidence", *coordinate_columns]
    assert table.split.value_counts().to_dict() == {"train": 1297, "test": 250}
    for split, rows in table.groupby("split"):
        labels = np.load(finished.folder / f"results/Small/data/{split}_labels.npy")
        assert (rows.id.to_numpy() == np.arange(len(labels))).all() and (rows.label.to_numpy() == labels).all()
        assert (rows.prediction == rows.label).mean() > 0.9 and rows.confidence.between(0.1, 1).all()
        part = "" if split == "train" else "_test"
        coordinates = np.load(finished.folder / f"results/Small/aligned/conv2{part}.npy")
        assert np.allclose(rows[["conv2_x", "conv2_y"]], coordinates, rtol=1e-5)


def test_embeddings_are_rotated_to_that_of_the_pixels(finished):
    maps, aligned = (finished.folder / f"results/Small/{name}" for name in ("maps", "aligned"))
    first = np.load(maps / "pixel.npy")
    assert np.allclose(np.load(aligned / "pixel.npy"), first - first.mean(axis=0), atol=1e-3)
    for layer in LAYERS:
        before, after = np.load(maps / f"{layer}.npy"), np.load(aligned / f"{layer}.npy")
        assert np.allclose(
            np.linalg.norm(before[0] - before, axis=1), np.linalg.norm(after[0] - after, axis=1), rtol=1e-3
        )
        rotation = np.linalg.svd((after - after.mean(axis=0)).T @ (first - first.mean(axis=0)))
        assert np.allclose(rotation.U @ rotation.Vh, np.eye(2), atol=1e-3), "no other rotation brings it nearer"
