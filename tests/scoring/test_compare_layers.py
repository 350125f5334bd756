"""The table of all scores, and its summary over the seeds."""

import numpy as np
import pytest
from compare_layers import find_best, summarize, summarize_values, tabulate

from common.scoring.scores import SCORES


def test_table_has_a_row_for_each_layer_split_and_pair_of_seeds(table):
    assert table.layer.tolist() == ["pixel"] * 2 + ["dense"] * 4
    assert table.split.tolist() == ["train", "test"] * 3
    assert table.network_seed.isna().tolist() == [True] * 2 + [False] * 4
    assert table.network_seed[2:].tolist() == [1, 1, 2, 2] and (table.tsne_seed == 1).all()
    assert table.columns.tolist() == ["layer", "dimensions", "network_seed", "tsne_seed", "split", "rows", *SCORES]
    assert (table.silhouette_map == 0.5).all(), "the mean over the classes"
    assert table.trustworthiness.isna().all() and table.trustworthiness.dtype == float


def test_accuracy_of_the_network_stands_beside_its_layers_only(table):
    assert table.network_accuracy.isna().tolist() == [True] * 2 + [False] * 4
    assert table.network_accuracy[2:].tolist() == [0.99, 0.97, 0.98, 0.96]


def test_imported_network_has_an_accuracy_but_no_seed(entry):
    accuracies = {"train": 0.9, "test": 0.9}
    entries = [entry(layer, None, accuracies) for layer in ("pixel", "dense")]
    table = tabulate(entries, {None: {"train": 0.99, "test": 0.97}})
    assert table.network_seed.isna().all()
    assert table.network_accuracy.isna().tolist() == [True, True, False, False]
    assert table.network_accuracy[2:].tolist() == [0.99, 0.97]
    assert summarize(table, "pixel")["network_accuracy"]["test"]["mean"] == 0.97
    assert tabulate(entries, {None: {}}).network_accuracy.isna().all(), "it predicts other classes"


def test_split_without_images_has_no_row(entry):
    layer = entry("a", None, {"train": 0.9}) | {"test": {"rows": 0, "knn_accuracy_map": None}}
    table = tabulate([layer, layer | {"layer": "b"}], {})
    assert table.split.tolist() == ["train", "train"]
    summary = summarize(table, "a")
    assert summary["layers"]["b"]["test"] == summary["layers"]["b"]["train_test_gap"] == {}
    assert summary["layers"]["b"]["gain_train"]["knn_accuracy_map"] == 0
    assert summary["network_accuracy"] == {"train": None, "test": None}


def test_summary_has_the_range_over_the_seeds(table):
    dense = summarize(table, "pixel")["layers"]["dense"]
    assert dense["dimensions"] == 3
    assert dense["test"]["knn_accuracy_features"] == pytest.approx({"mean": 0.92, "low": 0.9, "high": 0.94})
    assert dense["train"]["silhouette_map"]["mean"] == 0.5 and "knn_preservation_10" not in dense["train"]


def test_summary_has_the_gain_over_the_reference_layer_and_the_train_test_gap(table):
    layers = summarize(table, "pixel")["layers"]
    assert list(layers) == ["pixel", "dense"], "in the order of the table"
    assert layers["dense"]["gain_train"]["knn_accuracy_features"] == pytest.approx(0.09)
    assert layers["dense"]["gain_test"]["knn_accuracy_features"] == pytest.approx(0.12)
    assert layers["dense"]["train_test_gap"]["knn_accuracy_map"] == pytest.approx(0.07)
    assert set(layers["pixel"]["gain_test"].values()) == {0}
    assert "network_accuracy" not in layers["dense"]["gain_test"], "the pixels have none"


def test_each_network_counts_once_in_the_summary_of_its_accuracy(entry):
    """It has a row for each of its layers and t-SNE seeds."""
    accuracies = {"train": 0.9, "test": 0.8}
    entries = [entry("dense", seed, accuracies, tsne_seed) for seed, tsne_seed in ((1, 1), (1, 2), (1, 3), (2, 1))]
    networks = {1: {"train": 0.99, "test": 0.97}, 2: {"train": 0.98, "test": 0.96}}
    accuracy = summarize(tabulate(entries, networks), "dense")["network_accuracy"]
    assert accuracy["test"] == pytest.approx({"mean": 0.965, "low": 0.96, "high": 0.97})
    assert accuracy["train"] == pytest.approx({"mean": 0.985, "low": 0.98, "high": 0.99})


def test_best_layer_is_that_of_the_test_images_where_there_are_some(entry):
    entries = [entry("pixel", None, {"train": 0.9, "test": 0.8}), entry("dense", 1, {"train": 0.95, "test": 0.7})]
    table = tabulate(entries, {})
    assert summarize(table, "pixel")["best"] == {"features": "pixel", "map": "pixel"}
    assert summarize(table[table.split == "train"], "pixel")["best"] == {"features": "dense", "map": "dense"}


def test_without_labels_no_layer_is_the_best(table):
    table["knn_accuracy_features"] = np.nan
    assert summarize(table, "pixel")["best"] == {"features": None, "map": "dense"}
    assert find_best({}, "knn_accuracy_map") is None


def test_values_that_are_not_known_do_not_count(table):
    values = table.knn_accuracy_map.where(table.layer == "pixel")
    assert summarize_values(values) == pytest.approx({"mean": 0.75, "low": 0.7, "high": 0.8})
    assert summarize_values(values * np.nan) is None
