"""The scores of a whole run, computed again from its files."""

import json

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import brentq

from common.scoring.scores import SCORES
from helpers import LAYERS

PERPLEXITY = 15  # of the run


@pytest.fixture(scope="module")
def results(finished):
    return finished.folder / "results/Small"


@pytest.fixture(scope="module")
def table(results) -> pd.DataFrame:
    return pd.read_csv(results / "layers.csv").set_index(["layer", "split"])


def find_affinities(squared: np.ndarray) -> np.ndarray:
    """Return conditional probabilities of neighbors with the run's perplexity, from squared distances (k,)."""

    def probabilities(log_precision: float) -> np.ndarray:
        weights = np.exp(-np.exp(log_precision) * (squared - squared.min()))
        return weights / weights.sum()

    def surplus(log_precision: float) -> float:
        p = probabilities(log_precision)
        return -(p * np.log(np.maximum(p, 1e-300))).sum() - np.log(PERPLEXITY)

    return probabilities(brentq(surplus, -30, 30))


def measure_divergence(neighbors: dict[str, np.ndarray], coordinates: np.ndarray) -> float:
    """Return the KL divergence of an embedding by the formulas of van der Maaten and Hinton (2008)."""
    n, k = len(coordinates), 3 * PERPLEXITY
    p = np.zeros((n, n))
    for row in range(n):
        p[row, neighbors["indices"][row, :k]] = find_affinities(neighbors["distances"][row, :k].astype(float) ** 2)
    p = (p + p.T) / (2 * n)
    offsets = coordinates[:, None].astype(float) - coordinates
    q = 1 / (1 + (offsets**2).sum(axis=2))
    np.fill_diagonal(q, 0)
    q /= q.sum()
    pairs = p > 0
    return (p[pairs] * np.log(p[pairs] / q[pairs])).sum()


@pytest.mark.parametrize("layer", ["pixel", "dense3"])
def test_divergence_is_that_of_the_embedding(results, table, layer):
    with np.load(results / f"neighbors/{layer}.npz") as neighbors:
        expected = measure_divergence(neighbors, np.load(results / f"maps/{layer}.npy"))
    assert table.kl_divergence[layer, "train"] == pytest.approx(expected, rel=1e-3)
    assert np.isnan(table.kl_divergence[layer, "test"])


@pytest.mark.parametrize("split", ["train", "test"])
def test_accuracy_of_the_network_is_that_of_its_predictions(results, table, split):
    predictions = pd.read_csv(results / "network/predictions.csv")
    rows = predictions[predictions.split == split]
    for layer in LAYERS[1:]:
        assert table.network_accuracy[layer, split] == pytest.approx((rows.label == rows.prediction).mean(), abs=1e-6)
    assert np.isnan(table.network_accuracy["pixel", split])


@pytest.mark.parametrize("key", SCORES)
def test_score_of_a_run_is_in_its_range(table, key):
    assert table[key].dropna().between(*SCORES[key].range).all() and table[key].notna().any()


@pytest.mark.parametrize("split", ["train", "test"])
def test_table_has_the_scores_of_the_files_of_the_layers(results, table, split):
    for layer in LAYERS:
        scores = json.loads((results / f"scores/{layer}.json").read_text())
        assert scores["dimensions"] == table.dimensions[layer, split]
        assert scores[split]["rows"] == table.rows[layer, split] == {"train": 1297, "test": 250}[split]
        assert scores[split]["silhouette_map"]["mean"] == pytest.approx(table.silhouette_map[layer, split], rel=1e-5)
        assert scores[split]["continuity"] == pytest.approx(table.continuity[layer, split], rel=1e-5)
        assert len(scores[split]["silhouette_map"]["by_class"]) == 10
