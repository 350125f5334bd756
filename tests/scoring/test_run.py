"""The scores of a whole run, computed again from its files."""

import json

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import brentq
from scipy.spatial.distance import cdist
from sklearn.decomposition import PCA
from sklearn.manifold import trustworthiness
from sklearn.metrics import silhouette_samples

from common.names import SPLITS, SUFFIXES
from common.scoring.scores import SCORES
from helpers import LAYERS

PERPLEXITY = 15  # of the run
COUNTS = {"train": 1297, "validation": 250, "test": 250}
FILES = dict(zip(SPLITS, SUFFIXES, strict=True))


@pytest.fixture(scope="module")
def results(finished):
    return finished.folder / "results/Small"


@pytest.fixture(scope="module")
def all_rows(results) -> pd.DataFrame:
    return pd.read_csv(results / "layers.csv")


@pytest.fixture(scope="module")
def table(all_rows) -> pd.DataFrame:
    """The scores of embeddings by t-SNE after training."""
    return all_rows[(all_rows.embedding == "tsne") & all_rows.epoch.isna()].set_index(["layer", "split"])


@pytest.fixture(scope="module")
def summary(results) -> dict:
    return json.loads((results / "layers.json").read_text())


@pytest.fixture(scope="module")
def labels(results) -> dict[str, np.ndarray]:
    return {split: np.load(results / f"data/{split}_labels.npy") for split in SPLITS}


def load_all(results, kind: str, layer: str) -> dict[str, np.ndarray]:
    """Return the features or maps of a layer by split."""
    return {split: np.load(results / f"{kind}/{layer}{suffix}.npy") for split, suffix in FILES.items()}


def find_affinities(squared: np.ndarray) -> np.ndarray:
    """Return conditional probabilities of neighbors with the run's perplexity, from squared distances (k,)."""

    def probabilities(log_precision: float) -> np.ndarray:
        weights = np.exp(-np.exp(log_precision) * (squared - squared.min()))
        return weights / weights.sum()

    def surplus(log_precision: float) -> float:
        p = probabilities(log_precision)
        return -(p * np.log(np.maximum(p, 1e-300))).sum() - np.log(PERPLEXITY)

    return probabilities(brentq(surplus, -30, 30))


def measure_divergence(features: np.ndarray, coordinates: np.ndarray) -> float:
    """Return the KL divergence of an embedding by the formulas of van der Maaten and Hinton (2008)."""
    n, k = len(coordinates), 3 * PERPLEXITY
    distances = cdist(features.astype(float), features.astype(float))
    np.fill_diagonal(distances, np.inf)
    p = np.zeros((n, n))
    for row in range(n):
        nearest = distances[row].argsort()[:k]
        p[row, nearest] = find_affinities(distances[row, nearest] ** 2)
    p = (p + p.T) / (2 * n)
    q = 1 / (1 + cdist(coordinates, coordinates, "sqeuclidean"))
    np.fill_diagonal(q, 0)
    q /= q.sum()
    pairs = p > 0
    return (p[pairs] * np.log(p[pairs] / q[pairs])).sum()


@pytest.mark.parametrize("layer", ["pixel", "dense3"])
def test_divergence_is_that_of_the_embedding_of_all_images(results, table, layer):
    features, coordinates = (
        np.concatenate(list(load_all(results, kind, layer).values())) for kind in ("features", "maps")
    )
    assert table.kl_divergence[layer, "train"] == pytest.approx(measure_divergence(features, coordinates), rel=1e-3)
    assert np.isnan([table.kl_divergence[layer, split] for split in SPLITS[1:]]).all()


@pytest.mark.parametrize("split", SPLITS)
def test_accuracy_of_the_network_is_that_of_its_predictions(results, table, summary, split):
    predictions = pd.read_csv(results / "network/predictions.csv")
    rows = predictions[predictions.split == split]
    expected = pytest.approx((rows.label == rows.prediction).mean(), abs=1e-6)
    for layer in LAYERS[1:]:
        assert table.network_accuracy[layer, split] == expected
    assert np.isnan(table.network_accuracy["pixel", split])
    assert summary["network"][split]["network_accuracy"]["mean"] == expected


@pytest.mark.parametrize("split", SPLITS)
def test_accuracies_are_those_of_votes_by_brute_force(results, table, labels, most_common, split):
    for kind, score in {"features": "knn_accuracy_features", "maps": "knn_accuracy_map"}.items():
        rows = load_all(results, kind, "conv2")
        distances = cdist(rows[split].astype(float), rows["train"].astype(float))
        if split == "train":
            np.fill_diagonal(distances, np.inf)
        votes = most_common(labels["train"][distances.argsort(axis=1)[:, :10]])
        # Rounding can interchange two neighbors, and so change the vote on one image.
        assert table[score]["conv2", split] == pytest.approx(np.mean(votes == labels[split]), abs=1.5 / len(votes))


@pytest.mark.parametrize("split", ["validation", "test"])
def test_accuracies_of_other_metrics_are_those_of_votes_by_brute_force(results, table, labels, most_common, split):
    rows = load_all(results, "features", "dense3")
    pca = PCA(50, svd_solver="full").fit(rows["train"])
    projected = {name: pca.transform(rows[name]) for name in ("train", split)}
    distances = {
        "knn_accuracy_cosine": cdist(rows[split].astype(float), rows["train"].astype(float), "cosine"),
        "knn_accuracy_pca": cdist(projected[split], projected["train"]),
    }
    for score, matrix in distances.items():
        votes = most_common(labels["train"][matrix.argsort(axis=1)[:, :10]])
        assert table[score]["dense3", split] == pytest.approx(np.mean(votes == labels[split]), abs=1.5 / len(votes))
        assert np.isnan(table[score]["dense3", "train"])


def test_scores_of_queries_are_those_of_scikit_learn(results, labels):
    """All training images are compared with all, in place of 400."""
    features, coordinates = (load_all(results, kind, "dense3")["train"] for kind in ("features", "maps"))
    with np.load(results / "scores/dense3.npz") as outcomes:
        known = ~np.isnan(outcomes["train_silhouette_map"])
        assert known.sum() == 400
        expected = silhouette_samples(coordinates, labels["train"])[known]
        np.testing.assert_allclose(outcomes["train_silhouette_map"][known], expected, atol=1e-4)
        expected = trustworthiness(features, coordinates, n_neighbors=10)
        assert np.nanmean(outcomes["train_trustworthiness"]) == pytest.approx(expected, abs=0.01)


@pytest.mark.parametrize("key", SCORES)
def test_score_of_a_run_is_in_its_range(all_rows, key):
    assert all_rows[key].dropna().between(*SCORES[key].range).all() and all_rows[key].notna().any()


@pytest.mark.parametrize("split", SPLITS)
def test_table_has_the_scores_of_the_files_of_the_layers(results, table, split):
    for layer in LAYERS:
        scores = json.loads((results / f"scores/{layer}.json").read_text())
        assert scores["dimensions"] == table.dimensions[layer, split]
        assert scores[split]["rows"] == table.rows[layer, split] == COUNTS[split]
        for key in SCORES:
            if scores[split].get(key) is not None:
                assert scores[split][key] == pytest.approx(table[key][layer, split], rel=1e-5)
        assert {len(means) for means in scores[split]["silhouettes_by_class"].values()} == {10}


def test_table_has_each_layer_embedding_and_split(all_rows):
    after, before = all_rows[all_rows.epoch.isna()], all_rows[all_rows.epoch == 0]
    keys = list(zip(after.layer, after.split, after.embedding, strict=True))
    assert keys == [(layer, split, map_) for layer in LAYERS for split in SPLITS for map_ in ("tsne", "pca", "random")]
    keys = list(zip(before.layer, before.split, before.embedding, strict=True))
    assert keys == [(layer, split, "tsne") for layer in LAYERS[1:] for split in SPLITS]
    accuracies = all_rows.groupby("embedding").knn_accuracy_map.mean()
    assert accuracies.random < 0.2 < accuracies.pca < accuracies.tsne


def test_summary_has_the_means_of_the_table_with_intervals_around_them(table, summary):
    assert list(summary["layers"]) == list(LAYERS)
    for layer in LAYERS:
        for split in SPLITS:
            known = table.loc[(layer, split)][list(SCORES)].drop(["kl_divergence", "network_accuracy"]).dropna()
            found = summary["layers"][layer][split]
            assert {key: interval["mean"] for key, interval in found.items()} == pytest.approx(
                known.to_dict(), rel=1e-5
            )
            for interval in found.values():
                assert interval["low"] is None or interval["low"] <= interval["mean"] <= interval["high"]


def test_table_of_voters_has_the_accuracies_of_ten_voters_at_ten(results, table):
    knn = pd.read_csv(results / "knn.csv")
    assert knn.layer.unique().tolist() == list(LAYERS)
    assert knn.groupby("metric", sort=False).split.unique().map(list).to_dict() == {
        "euclidean": list(SPLITS),
        "cosine": ["validation", "test"],
        "pca": ["validation", "test"],
    }
    scores = {"euclidean": "features", "cosine": "cosine", "pca": "pca"}
    for row in knn[(knn.k == 10) & knn.epoch.isna()].itertuples():
        expected = table[f"knn_accuracy_{scores[row.metric]}"][row.layer, row.split]
        assert row.accuracy == pytest.approx(expected, abs=1e-5)


def test_votes_in_the_table_of_maps_have_the_accuracy_of_the_layers(results, table):
    maps = pd.read_csv(results / "maps.csv")
    assert maps.split.value_counts().to_dict() == COUNTS
    for layer in LAYERS:
        for split, rows in maps.groupby("split"):
            expected = table.knn_accuracy_features[layer, split]
            assert (rows[f"{layer}_knn"] == rows.label).mean() == pytest.approx(expected, abs=1e-5)
