"""The scores against their definitions, and what is said of them."""

import json

import numpy as np
import pandas as pd
import pytest
import score_map as script
from compare_layers import summarize, tabulate
from scipy.spatial.distance import pdist
from scipy.stats import spearmanr
from score_map import accuracy, kept, score_map, score_sample, silhouette
from sklearn.datasets import make_blobs
from sklearn.metrics import silhouette_score
from summarize_run import page, versions_used
from tabulate_maps import tabulate_maps

CLASSES = ["zero", "01", "nan", "a, b"]


@pytest.fixture(scope="module")
def blobs():
    """Blobs in 20 dimensions, and a map of them: two of the dimensions."""
    features, labels = make_blobs(500, 20, centers=4, cluster_std=4, random_state=0)
    return features.astype(np.float32), labels, features[:, :2].astype(np.float32)


def nearest(queries: np.ndarray, features: np.ndarray, k: int, own: bool) -> np.ndarray:
    distances = np.linalg.norm(queries[:, None].astype(np.float64) - features, axis=2)
    if own:
        np.fill_diagonal(distances, np.inf)
    return np.argsort(distances, axis=1)[:, :k]


def test_accuracy_is_the_share_of_right_votes_of_ten():
    labels = np.array([0] * 6 + [1] * 6)
    indices = np.array([[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11], [6, 7, 8, 9, 10, 11, 0, 1, 2, 3, 4, 5]])
    assert accuracy(indices, labels, np.array([0, 1])) == 1
    assert accuracy(indices, labels, np.array([1, 1])) == 0.5


def test_kept_counts_the_neighbors_in_both_whatever_their_order():
    found, true = np.array([[1, 2, 3, 4], [5, 6, 7, 8]]), np.array([[3, 2, 1, 9], [9, 0, 1, 5]])
    assert kept(found, true, 3) == 3 / 6 and kept(found, true, 4) == 4 / 8
    assert kept(found, true, 3, block=1) == 3 / 6


def test_scores_are_those_of_their_definitions(blobs):
    features, labels, places = blobs
    rows = slice(0, 400), slice(400, 500)
    train, test = ((features[part], places[part], labels[part]) for part in rows)
    in_features = [nearest(part[0], train[0], 30, own=part is train) for part in (train, test)]
    in_map = [nearest(part[1], train[1], 30, own=part is train) for part in (train, test)]
    others = test[0], in_features[1], *test[1:]
    scores = score_map(train[0], in_features[0], *train[1:], others, CLASSES, np.arange(400))
    for split, part, true, found in zip(scores, (train, test), in_features, in_map, strict=True):
        assert scores[split]["rows"] == scores[split]["sample"] == len(part[0])
        for space, indices in (("features", true), ("map", found)):
            votes = [np.bincount(votes).argmax() for votes in train[2][indices[:, :10]]]
            assert scores[split][f"{space}_accuracy"] == pytest.approx((votes == part[2]).mean())
        for k in (10, 30):
            shared = [len(set(f[:k]) & set(t[:k])) / k for f, t in zip(found, true, strict=True)]
            assert scores[split][f"kept_{k}"] == pytest.approx(np.mean(shared))
        assert scores[split]["silhouette_features"]["mean"] == pytest.approx(
            silhouette_score(part[0], part[2]), abs=1e-5
        )
        assert scores[split]["silhouette_map"]["mean"] == pytest.approx(silhouette_score(part[1], part[2]), abs=1e-5)
    assert (
        scores["train"]["knn_preservation_10"] < 1
        and scores["train"]["knn_accuracy_map"] < scores["train"]["knn_accuracy_features"]
    )


def ranks(points: np.ndarray) -> np.ndarray:
    """Of each row, each other row's rank by its distance, 1 for the nearest, 0 for itself."""
    distances = np.linalg.norm(points[:, None].astype(np.float64) - points, axis=2)
    np.fill_diagonal(distances, -1)
    return distances.argsort(axis=1).argsort(axis=1)


def test_trustworthiness_and_continuity_are_venna_and_kaskis(blobs):
    features, labels, places = (part[:120] for part in blobs)
    scores = score_sample(features, places, labels, CLASSES)
    n, k = 120, 10
    in_features, in_map = ranks(features), ranks(places)
    factor = 2 / (n * k * (2 * n - 3 * k - 1))
    intruders = (in_map >= 1) & (in_map <= k) & (in_features > k)
    lost = (in_features >= 1) & (in_features <= k) & (in_map > k)
    assert scores["trustworthiness"] == pytest.approx(1 - factor * (in_features[intruders] - k).sum(), abs=1e-6)
    assert scores["continuity"] == pytest.approx(1 - factor * (in_map[lost] - k).sum(), abs=1e-6)
    assert scores["trustworthiness"] != pytest.approx(scores["continuity"], abs=1e-3)


def test_distances_are_correlated_by_rank_of_rows_drawn_at_random(blobs, monkeypatch):
    monkeypatch.setattr(script, "SAMPLE", 200)
    monkeypatch.setattr(script, "PAIRED", 80)
    order = np.argsort(blobs[1], kind="stable")  # sorted by class, as files can be
    features, labels, places = (part[order] for part in blobs)
    neighbors = nearest(features, features, 30, own=True)
    everything = features, neighbors, places, labels
    scores = score_map(*everything, everything, CLASSES, np.arange(500))["train"]
    assert scores["sample"] == 200
    sample = np.random.default_rng(0).permutation(500)[:200]
    assert set(labels[sample[:80]]) == {0, 1, 2, 3}, "of all classes"
    expected = spearmanr(pdist(features[sample[:80]]), pdist(places[sample[:80]])).statistic
    assert scores["distance_correlation"] == pytest.approx(expected, abs=1e-4)
    assert scores["distance_correlation"] < 0.9


def test_a_copy_of_the_features_is_a_perfect_map(blobs):
    _, labels, places = blobs
    scores = score_sample(places, places, labels, CLASSES)
    assert scores["trustworthiness"] == scores["continuity"] == 1
    assert scores["distance_correlation"] == pytest.approx(1)
    assert scores["silhouette_map"] == scores["silhouette_features"]


def test_what_is_not_defined_is_none_and_not_a_number_that_is_not_one():
    same = np.ones((60, 3), np.float32)
    scores = score_sample(same, same[:, :2], np.zeros(60, int), CLASSES)
    assert scores["distance_correlation"] is None and scores["silhouette_map"]["mean"] is None
    assert score_sample(same[:5], same[:5, :2], np.arange(5) % 4, CLASSES)["trustworthiness"] is None
    assert "NaN" not in json.dumps(scores)


def test_silhouette_of_each_class(blobs):
    _, labels, places = blobs
    distances = np.linalg.norm(places[:, None] - places, axis=2)
    values = silhouette(distances, labels, CLASSES)
    assert set(values["by_class"]) == set(CLASSES)
    weighted = np.mean([values["by_class"][CLASSES[label]] for label in labels])
    assert values["mean"] == pytest.approx(weighted)


METHODS = "# Methods\n\nOf 2 < 3.\n\n## References\n\n- One\n- Two\n"


@pytest.fixture
def table() -> pd.DataFrame:
    """The table of two layers, the second of two networks."""

    def scores(layer: str, seed: int | None, train: float, test: float) -> dict:
        def split(accuracy: float) -> dict:
            return {"rows": 10, "knn_accuracy_features": accuracy, "knn_accuracy_map": accuracy - 0.1} | {
                "silhouette_map": {"mean": 0.5, "by_class": None}
            }

        said = {"layer": layer, "dimensions": 3, "of_network": seed is not None, "network_seed": seed, "tsne_seed": 1}
        return said | {"train": split(train), "test": split(test)}

    entries = [scores("pixel", None, 0.9, 0.8), scores("dense", 1, 1.0, 0.9), scores("dense", 2, 0.98, 0.94)]
    return tabulate(entries, {1: {"train": 0.99, "test": 0.97}, 2: {"train": 0.98, "test": 0.96}})


def test_summary_has_gain_fall_and_spread(table):
    summary = summarize(table, "pixel")
    assert summary["best"] == {"features": "dense", "map": "dense"}
    assert summary["network_accuracy"]["test"] == pytest.approx({"mean": 0.965, "low": 0.96, "high": 0.97})
    dense = summary["layers"]["dense"]
    assert dense["test"]["knn_accuracy_features"] == pytest.approx({"mean": 0.92, "low": 0.9, "high": 0.94})
    assert dense["gain_test"]["knn_accuracy_features"] == pytest.approx(0.12)
    assert dense["fall"]["knn_accuracy_map"] == pytest.approx(0.07)
    assert dense["train"]["silhouette_map"]["mean"] == 0.5 and "knn_preservation_10" not in dense["train"]


def test_page_has_scores_facts_configuration_and_versions(table):
    text = page(
        table,
        [{"layer": "pixel", "backend": "openTSNE"}],
        {"tsne": {"perplexity": 30}},
        METHODS,
        "version 9",
        {"numpy": "2.1.3"},
    )
    for said in ("0.9200 (0.9000 to 0.9400)", "0.0700", "openTSNE", "tsne.perplexity", "<td>30</td>", "numpy", "2.1.3"):
        assert said in text
    for said in ("<p>Of 2 &lt; 3.</p>", "<h3>References</h3>", "<ul><li>One</li><li>Two</li></ul>", "version 9"):
        assert said in text


def test_versions_are_those_that_were_recorded_else_installed_or_pinned():
    pins = {"numpy": "0", "a-package-that-is-not-here": "1.2", "keras": "3"}
    records = [{"versions": {"keras": "3.14"}}, {"versions": {"keras": "3.15", "openTSNE": "1.0.4"}}]
    found = versions_used(pins, records)
    assert found["numpy"] == np.__version__ and found["a-package-that-is-not-here"] == "1.2"
    assert found["keras"] == "3.14, 3.15" and found["opentsne"] == "1.0.4"


def test_network_that_is_used_as_it_is_has_no_seed_but_its_accuracy(table):
    split = {"rows": 10, "knn_accuracy_features": 0.9}
    said = {"dimensions": 3, "network_seed": None, "tsne_seed": 1, "train": split, "test": split}
    entries = [{"layer": layer, "of_network": layer != "pixel", **said} for layer in ("pixel", "dense")]
    found = tabulate(entries, {None: {"train": 0.99, "test": 0.97}})
    assert found.network_seed.isna().all() and found.network_accuracy.isna().tolist() == [True, True, False, False]
    assert found.network_accuracy[2:].tolist() == [0.99, 0.97]
    assert summarize(found, "pixel")["network_accuracy"]["test"]["mean"] == 0.97, "pixels have no seed, too"
    assert tabulate(entries, {None: {}}).network_accuracy.isna().all(), "it does not predict these classes"


def test_without_labels_and_test_images_what_is_not_known_is_left_out(blobs):
    features, _, places = blobs
    neighbors, none = nearest(features, features, 30, own=True), np.zeros(500, int)
    empty = features[:0], neighbors[:0], places[:0], none[:0]
    scores = score_map(features, neighbors, places, none, empty, [], np.arange(500))
    train, test = scores["train"], scores["test"]
    assert train["knn_accuracy_features"] is None and train["silhouette_map"] == {"mean": None, "by_class": None}
    assert 0 < train["knn_preservation_10"] < 1 and train["trustworthiness"] > 0.5
    assert test.pop("rows") == 0 and all(value is None for value in test.values()) and "knn_preservation_30" in test
    entry = {"layer": "a", "dimensions": 20, "of_network": False, "network_seed": None, "tsne_seed": 1} | scores
    entry["test"]["rows"] = 0
    table = tabulate([entry, entry | {"layer": "b"}], {})
    assert table.split.tolist() == ["train", "train"] and table.knn_accuracy_map.isna().all()
    summary = summarize(table, "a")
    assert summary["best"] == {"features": None, "map": None} and summary["layers"]["b"]["test"] == {}
    assert summary["layers"]["b"]["gain_train"]["knn_preservation_10"] == 0 and summary["layers"]["b"]["fall"] == {}
    text = page(table, [{"layer": "a"}], {}, METHODS, "version 9", {})
    assert "neighbors kept" in text and "labels right" not in text and "fall" not in text


def test_best_layer_is_that_of_the_training_images_where_there_are_no_others(table):
    summary = summarize(table[table.split == "train"], "pixel")
    assert summary["best"] == {"features": "dense", "map": "dense"}


def test_only_as_many_rows_are_scored_as_the_sample_may_hold(blobs, monkeypatch):
    features, labels, places = blobs
    neighbors = nearest(features, features, 30, own=True)
    everything = features, neighbors, places, labels
    monkeypatch.setattr("score_map.SAMPLE_MB", 100 * 20 * 4 / 1e6)
    assert score_map(*everything, everything, CLASSES, np.arange(500))["test"]["sample"] == 100


def test_table_of_maps_without_predictions():
    labels = {"train": np.array([2, 1]), "test": np.array([3])}
    places = {"train": {"pixel": np.zeros((2, 2))}, "test": {"pixel": np.ones((1, 2))}}
    found = tabulate_maps(labels, places, None, CLASSES)
    assert found.to_dict("list") == {
        "id": [0, 1, 0],
        "split": ["train", "train", "test"],
        "label": ["nan", "01", "a, b"],
        "pixel_x": [0, 0, 1],
        "pixel_y": [0, 0, 1],
    }
    assert "label" not in tabulate_maps(labels, places, None, [])
