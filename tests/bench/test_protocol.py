"""The experiments on the protocol: held-out images, the start and the number of iterations."""

import epochs
import heldout
import iterations
import layer_run
import numpy as np
import pytest
import recall
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


@pytest.fixture
def noise(tmp_path) -> LayerRun:
    """A layer of 6,000 random features, whose neighbors are in many cells."""
    (tmp_path / "features").mkdir()
    features = np.random.default_rng(0).normal(size=(6000, 130)).astype(np.float32)
    for suffix, rows in zip(layer_run.SUFFIXES, (slice(4000), slice(4000, 5000), slice(5000, None)), strict=True):
        np.save(tmp_path / f"features/noise{suffix}.npy", features[rows])
    return LayerRun(tmp_path, "noise")


def test_search_finds_about_as_many_neighbors_as_asked_for(noise):
    found = recall.search_neighbors(noise, (0.8, 0.95))
    shares = {goal: share for goal, (_, share, _) in found.items()}
    assert shares == {0.8: pytest.approx(0.8, abs=0.03), 0.95: pytest.approx(0.95, abs=0.02)}
    assert all(neighbors["indices"].shape == (6000, 90) for neighbors, _, _ in found.values())


def test_divergence_is_that_from_the_neighbors_of_the_run(run):
    own, others = dict(run.joint_neighbors), dict(run.joint_neighbors)
    others["indices"] = np.roll(others["indices"], 1, axis=0)
    good, bad = (recall.measure(("dense3", neighbors, 1), run.folder) for neighbors in (own, others))
    assert good["kl_divergence"] < bad["kl_divergence"] - 1 and 0.8 < good["knn_accuracy_map_test"] <= 1


def test_ways_through_training_differ_in_how_far_points_move(run):
    tables = {way: epochs.measure(("dense3", way), run.folder, ["0", epochs.LAST]) for way in epochs.WAYS}
    for way, (first, last) in tables.items():
        assert (first["epoch"], last["epoch"], first["way"]) == ("0", "last", way) and "moved" not in first
        assert 0 < last["moved"] < 2 and 0 <= last["r_squared"] <= 1 and 0.8 < last["knn_accuracy_map_test"] <= 1
    r_squared = {way: table[1]["r_squared"] for way, table in tables.items()}
    assert r_squared["continued"] > r_squared["components"]


def test_moves_are_measured_after_alignment_in_units_of_the_radius():
    points = np.random.default_rng(0).normal(size=(500, 2)) * [3, 1]
    moves = epochs.measure_moves(rotate(points, 40) + 5, points)
    assert moves["moved"] == pytest.approx(0, abs=1e-6) and moves["r_squared"] == pytest.approx(1)
    away = points + np.array([1, 0]) * np.where(np.arange(500) % 2, 1, -1)[:, None]
    radius = np.sqrt(((points - points.mean(axis=0)) ** 2).sum(axis=1).mean())
    assert epochs.measure_moves(away, points)["moved"] == pytest.approx(1 / radius, rel=0.1)
