"""The experiments on the protocol: held-out images, the start and the number of iterations."""

import heldout
import iterations
import layer_run
import numpy as np
import pytest
import start
from layer_run import LayerRun

SPLITS = ["train", "validation", "test"]


@pytest.fixture
def run(finished, monkeypatch) -> LayerRun:
    """The layer dense3 of the finished run, whose perplexity is 15."""
    monkeypatch.setitem(layer_run.TSNE, "perplexity", 15)
    return LayerRun(finished.folder / "results/Small", "dense3")


def rotate(points: np.ndarray, degrees: float) -> np.ndarray:
    cosine, sine = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    return points @ np.array([[cosine, sine], [-sine, cosine]])


@pytest.mark.parametrize("degrees", [0, 30, 170, -60])
def test_turn_of_medians_is_that_of_the_embedding(degrees):
    points, labels = np.random.default_rng(0).normal(size=(300, 2)), np.arange(300) % 3
    points = points * 0.1 + np.array([[5, 0], [-2, 4], [-3, -4]])[labels]
    points -= points.mean(axis=0)
    turns = start.turn_of_medians(rotate(points, degrees), points, labels)
    assert turns == pytest.approx([abs(degrees)] * 3, abs=1)


def test_aligned_embedding_is_not_turned():
    points = np.random.default_rng(0).normal(size=(300, 2)) * [3, 1]
    assert np.allclose(start.align(rotate(points, 77), points), points - points.mean(axis=0))


def test_both_ways_are_scored_on_each_split(run):
    table = heldout.compare(run)
    assert [(row["way"], row["split"]) for row in table] == [
        *(("joint", split) for split in SPLITS),
        *(("placed", split) for split in [*SPLITS, "train, placed anew"]),
    ]
    assert [row["images"] for row in table] == [1297, 250, 250, 1297, 250, 250, 1297]
    assert all(0.8 < row["knn_accuracy_map"] <= 1 and 0.2 < row["knn_preservation_10"] < 1 for row in table)
    placed = {row["split"]: row["knn_preservation_10"] for row in table if row["way"] == "placed"}
    assert placed["train, placed anew"] < placed["train"], "training images are placed without themselves"


def test_scores_are_those_of_the_run(run):
    scores = run.score(run.coordinates)
    for number, split in enumerate(SPLITS):
        found = heldout.score_points(run, split, run.coordinates[number], run.coordinates[0])
        assert found["knn_accuracy_map"] == pytest.approx(scores[split]["knn_accuracy_map"])
        assert found["knn_preservation_10"] == pytest.approx(scores[split]["knn_preservation_10"])


def test_starts_are_compared_with_the_embedding_of_the_pixels(run):
    pixels = {1: start.embed_pixels(1, run.folder)}
    rows = {name: start.measure(("dense3", 1, name), run.folder, pixels) for name in ("reference", "pca")}
    assert rows["reference"]["r_squared"] > rows["pca"]["r_squared"]
    assert rows["reference"]["median_turn"] < rows["pca"]["median_turn"]


def test_divergence_falls_with_the_number_of_iterations(run):
    few, many = (iterations.measure(("dense3", count), run.folder) for count in (300, 600))
    assert few["iterations"] == 300 and many["kl_divergence"] < few["kl_divergence"]
