"""The summary of the layers: means, intervals, differences, baselines and the best layer."""

import json
from functools import partial

import numpy as np
import pytest
from compare_layers import Estimates, find_best, summarize, tabulate

from common.names import SPLITS
from common.scoring.bootstrap import describe, resample_means

DENSE, PIXEL = ("dense", None), ("pixel", None)


def summarize_layers(layers, networks=None) -> dict:
    """Return the summary of pairs of entry and outcomes."""
    entries, outcomes = zip(*layers, strict=True)
    return summarize(tabulate(entries, outcomes, networks or {}), Estimates(entries, outcomes, networks or {}))


@pytest.fixture(scope="module")
def summary(two_layers) -> dict:
    return summarize(tabulate(*two_layers), Estimates(*two_layers))


def test_layers_are_in_the_order_of_the_table_with_their_dimensions(summary):
    assert list(summary["layers"]) == ["pixel", "dense"]
    assert summary["layers"]["dense"]["dimensions"] == 3


def test_means_are_those_over_networks_and_embeddings(summary):
    dense = summary["layers"]["dense"]
    means = [dense[split]["knn_accuracy_features"]["mean"] for split in SPLITS]
    assert means == pytest.approx([0.99, 0.94, 0.92])
    assert "trustworthiness" not in dense["test"] and "kl_divergence" not in dense["train"]


def test_interval_is_the_bootstrap_of_images_crossed_with_networks(summary, two_layers):
    _, outcomes, _ = two_layers
    for number, split in enumerate(SPLITS):
        found = summary["layers"]["dense"][split]["knn_accuracy_map"]
        grid = [[by[f"{split}_knn_accuracy_map"]] for by in outcomes[1:]]
        assert found == describe(found["mean"], resample_means(grid, number))
        assert found["low"] < found["mean"] < found["high"]


def test_embeddings_of_a_network_are_grouped_with_it(layer):
    """Two networks with two embeddings each are a grid, whatever the order of the files."""
    values = {(1, 1): 0.9, (1, 2): 0.8, (2, 1): 0.7, (2, 2): 0.6}
    layers = [layer("dense", *seeds[:1], {"test": value, "train": 1}, seeds[1]) for seeds, value in values.items()]
    found = summarize_layers(layers)["layers"]["dense"]["test"]["knn_accuracy_features"]
    grid = [[by["test_knn_accuracy_features"] for _, by in layers[start : start + 2]] for start in (0, 2)]
    assert found == describe(pytest.approx(0.75), resample_means(grid, 2))


@pytest.fixture(scope="module")
def controlled(layer) -> dict:
    """The summary of the pixels and of a layer of two networks before and after training."""
    layers = [layer("pixel", None, {"train": 0.9, "test": 0.8})]
    for seed, (before, after) in {1: (0.85, 0.95), 2: (0.83, 0.97)}.items():
        layers.append(layer("dense", seed, {"train": 1.0, "test": after}, start=3))
        entry, outcomes = layer("dense", seed, {"train": 0.9, "test": before}, start=40)
        layers.append((entry | {"epoch": 0}, outcomes))
    return summarize_layers(layers)["layers"]


def test_what_is_given_and_learned_are_the_differences_from_the_pixels_and_from_before_training(controlled):
    dense = controlled["dense"]
    means = {
        key: dense[key]["test"]["knn_accuracy_features"]["mean"] for key in ("before_training", "given", "learned")
    }
    assert means == pytest.approx({"before_training": 0.84, "given": 0.04, "learned": 0.12})
    assert dense["test"]["knn_accuracy_features"]["mean"] == pytest.approx(0.96), "of the last epoch alone"
    assert not {"before_training", "given", "learned"} & set(controlled["pixel"])
    assert "silhouette_features" in dense["learned"]["test"], "of features of the same dimension"
    assert "silhouette_features" not in dense["given"]["test"]
    assert dense["gain"]["test"]["knn_accuracy_features"]["mean"] == pytest.approx(0.16)


def test_intervals_of_what_is_learned_are_paired_by_image(layer):
    """The same images are right before and after, but for those that are learned."""
    layers = []
    for epoch, share in ((None, 0.8), (0, 0.75)):
        entry, outcomes = layer("dense", 1, {"train": 1.0, "test": share})
        layers.append((entry | {"epoch": epoch}, outcomes))
    dense = summarize_layers(layers)["layers"]["dense"]
    learned, after = (part["test"]["knn_accuracy_features"] for part in (dense["learned"], dense))
    assert learned["high"] - learned["low"] < 0.75 * (after["high"] - after["low"])
    assert "given" not in dense, "without the pixels"


def test_gain_is_the_difference_from_the_layer_before(summary, layer):
    gain = summary["layers"]["dense"]["gain"]
    assert "gain" not in summary["layers"]["pixel"] and gain["over"] == "pixel"
    assert [gain[split]["knn_accuracy_features"]["mean"] for split in SPLITS] == pytest.approx([0.09, 0.09, 0.12])
    third = [layer(name, None, {"train": share}) for name, share in {"a": 0.5, "b": 0.7, "c": 0.6}.items()]
    gain = summarize_layers(third)["layers"]["c"]["gain"]
    assert gain["over"] == "b" and gain["train"]["knn_accuracy_map"]["mean"] == pytest.approx(-0.1)


def test_gain_is_paired_by_image(layer):
    """A layer that is right on the same images but a few has a narrow interval, one that is on others a wide one."""
    widths = {}
    for name, start in {"same": 0, "other": 50}.items():
        layers = [layer("a", None, {"test": 0.5, "train": 1}), layer("b", None, {"test": 0.52, "train": 1}, 1, start)]
        gain = summarize_layers(layers)["layers"]["b"]["gain"]["test"]["knn_accuracy_features"]
        assert gain["mean"] == pytest.approx(0.02)
        widths[name] = gain["high"] - gain["low"]
    assert widths["same"] < 0.2 * widths["other"]


def test_equal_layers_have_a_gain_of_zero_without_interval(layer):
    layers = [layer(name, None, {"test": 0.5, "train": 0.9}) for name in "ab"]
    gain = summarize_layers(layers)["layers"]["b"]["gain"]
    assert gain["test"]["knn_accuracy_map"] == {"mean": 0, "low": None, "high": None}


def test_memorization_is_training_minus_validation_and_shift_validation_minus_test(summary):
    layers = summary["layers"]
    for score in ("knn_accuracy_features", "knn_accuracy_map"):
        assert layers["pixel"]["memorization"][score]["mean"] == pytest.approx(0.05)
        assert layers["pixel"]["shift"][score]["mean"] == pytest.approx(0.05)
        assert layers["dense"]["memorization"][score]["mean"] == pytest.approx(0.99 - 0.94)
        assert layers["dense"]["shift"][score]["mean"] == pytest.approx(0.94 - 0.92)
    interval = layers["pixel"]["memorization"]["knn_accuracy_map"]
    assert interval["low"] < interval["mean"] < interval["high"]


def test_difference_between_splits_has_the_interval_of_independent_images(layer):
    outcomes = layer("a", None, {"train": 0.5, "validation": 0.5})
    interval = summarize_layers([outcomes])["layers"]["a"]["memorization"]["knn_accuracy_features"]
    parts = [summarize_layers([outcomes])["layers"]["a"][split]["knn_accuracy_features"] for split in SPLITS[:2]]
    widths = [part["high"] - part["low"] for part in parts]
    assert interval["high"] - interval["low"] == pytest.approx(np.hypot(*widths), rel=0.1)


def test_scores_that_are_not_comparable_have_no_difference_between_layers(summary):
    layers = summary["layers"]
    assert "silhouette_features" in layers["pixel"]["test"] and "silhouette_features" in layers["dense"]["test"]
    for split in SPLITS:
        assert set(layers["dense"]["gain"][split]) == {"knn_accuracy_features", "knn_accuracy_map"}
    assert "silhouette_features" in layers["dense"]["memorization"], "of one layer"


def test_divergence_has_no_difference_between_layers(two_layers):
    entries, outcomes, networks = two_layers
    outcomes = [by | {"train_kl_divergence": np.arange(100.0)} for by in outcomes]
    estimates = Estimates(entries, outcomes, networks)
    assert "kl_divergence" in estimates.scores(DENSE, "train")
    assert "kl_divergence" not in estimates.differences((DENSE, "train"), (PIXEL, "train"))


def test_network_has_its_accuracy_by_split_and_between_splits(summary):
    network = {part: values["network_accuracy"] for part, values in summary["network"].items()}
    expected = {"train": 0.98, "validation": 0.97, "test": 0.96, "memorization": 0.01, "shift": 0.01}
    assert {part: interval["mean"] for part, interval in network.items()} == pytest.approx(expected)
    assert network["test"]["low"] < 0.96 < network["test"]["high"]


def test_network_that_is_missing_or_predicts_other_classes_has_no_accuracy(layer):
    layers = [layer("dense", None, {"train": 0.9, "test": 0.8})]
    for networks in ({}, {None: {}}):
        network = summarize_layers(layers, networks)["network"]
        assert network == {part: {} for part in (*SPLITS, "memorization", "shift")}


def test_baselines_are_the_means_of_their_known_scores(summary, layer):
    expected = {"pca": {split: {"knn_accuracy_map": 0.5} for split in SPLITS}}
    assert summary["layers"]["pixel"]["baselines"] == expected
    entry, outcomes = layer("pixel", None, {"train": 0.9})
    del entry["train"]["baseline_pca"]
    assert "baselines" not in summarize_layers([(entry, outcomes)])["layers"]["pixel"]


def test_score_that_one_network_lacks_is_unknown(two_layers):
    entries, outcomes, networks = two_layers
    missing = {**outcomes[2]}
    missing["test_knn_accuracy_map"] = np.full(100, np.nan, np.float32)
    del missing["test_knn_accuracy_features"]
    estimates = Estimates(entries, [*outcomes[:2], missing], networks)
    assert set(estimates.scores(DENSE, "test")) == {"silhouette_features"}
    assert "knn_accuracy_map" in estimates.scores(PIXEL, "test")
    assert estimates.differences((DENSE, "test"), (PIXEL, "test")) == {}


def test_split_without_images_has_no_scores_and_no_differences(layer):
    layers = [layer(name, None, {"train": share}) for name, share in {"a": 0.9, "b": 0.95}.items()]
    summary = summarize_layers(layers)
    b = summary["layers"]["b"]
    assert b["validation"] == b["test"] == b["memorization"] == b["shift"] == b["gain"]["test"] == {}
    assert b["gain"]["train"]["knn_accuracy_map"]["mean"] == pytest.approx(0.05)
    assert summary["best"] == {"features": "b", "map": "b"}


@pytest.mark.parametrize(("splits", "best"), [(3, "a"), (2, "b"), (1, "c")])
def test_best_layer_is_that_of_the_last_split(layer, splits, best):
    accuracies = {"a": (0.5, 0.6, 0.9), "b": (0.6, 0.9, 0.5), "c": (0.9, 0.5, 0.6)}
    layers = [layer(name, None, dict(zip(SPLITS[:splits], by, strict=False))) for name, by in accuracies.items()]
    assert summarize_layers(layers)["best"] == {"features": best, "map": best}


def test_without_labels_no_layer_is_the_best(two_layers):
    entries, outcomes, _ = two_layers
    unknown = partial(filter, lambda item: "accuracy_features" not in item[0])
    outcomes = [dict(unknown(by.items())) for by in outcomes]
    summary = summarize(tabulate(entries, outcomes, {}), Estimates(entries, outcomes, {}))
    assert summary["best"] == {"features": None, "map": "dense"}


def test_best_layer_needs_a_split_on_which_all_have_the_score():
    layers = {
        "a": {"train": {"score": {"mean": 0.1}}, "validation": {}, "test": {"score": {"mean": 0.9}}},
        "b": {"train": {"score": {"mean": 0.2}}, "validation": {}, "test": {}},
    }
    assert find_best(layers, "score") == "b" and find_best(layers, "other") is None


def test_summary_is_valid_json(summary):
    assert json.loads(json.dumps(summary, allow_nan=False)) == summary
