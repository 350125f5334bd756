"""Runs of the workflow with landmarks."""

import json

import numpy as np
import pandas as pd
import pytest
from embed_tsne import r_squared

from common.names import SPLITS
from helpers import Workflow

pytestmark = pytest.mark.slow

ROWS, LANDMARKS, SCATTER = 1297, 500, 3
SIZES = {"": ROWS, "_validation": 250, "_test": 250}
CHOSEN = {"choose_landmarks", "find_landmark_neighbors", "find_nearest_landmarks", "gather_neighbors"}
EMBEDDED = {"embed_landmarks", "transform_rows", "gather_map", "transform_images"}


@pytest.fixture(scope="module")
def landmarked(finished, tmp_path_factory) -> Workflow:
    """The finished run, configured with landmarks and run again. Not to be changed."""
    workflow = finished.copy(tmp_path_factory.mktemp("landmarked") / "workflow")
    workflow.configure(layers=["pixel", "dense3"], tsne={"landmarks": LANDMARKS}, network={"checkpoints": []})
    workflow.scatter(SCATTER)
    assert not {"train_network", "extract_features", "flatten_images"} & set(workflow.plan())
    result = workflow.run()
    assert result.returncode == 0, result.stdout + result.stderr
    assert workflow.plan() == {}
    return workflow


@pytest.fixture
def workflow(landmarked, tmp_path) -> Workflow:
    """A copy of this run, to change."""
    return landmarked.copy(tmp_path / "workflow")


def test_rows_are_scattered_over_as_many_jobs_as_the_profile_says(fresh, tmp_path):
    workflow = fresh.copy(tmp_path / "workflow")
    workflow.configure(tsne={"landmarks": LANDMARKS})
    for jobs in (16, SCATTER):  # the default, and another number
        if jobs != 16:
            workflow.scatter(jobs)
        plan = workflow.plan("results/Small/maps/pixel.npy")
        assert plan["find_nearest_landmarks"] == plan["transform_rows"] == jobs


@pytest.mark.parametrize("layer", ["pixel", "dense3"])
def test_all_rows_have_neighbors_coordinates_and_scores(landmarked, finished, layer):
    results = landmarked.folder / "results/Small"
    rows = np.load(results / f"landmarks/{layer}/rows.npy")
    features = np.load(results / f"features/{layer}.npy")
    chosen = np.load(results / f"landmarks/{layer}/features.npy")
    assert rows.shape == (LANDMARKS,) and chosen.dtype == np.float32 and np.array_equal(chosen, features[rows])
    for part, count in SIZES.items():
        neighbors = np.load(results / f"neighbors/{layer}{part}.npz")
        assert neighbors["indices"].shape == neighbors["distances"].shape == (count, 45)
        assert neighbors["indices"].dtype == np.int32 and neighbors["distances"].dtype == np.float32
        assert set(neighbors["indices"].ravel()) <= set(rows) and neighbors["method"] == "exact"
        assert neighbors["recall"] == 1
        features_of_part = np.load(results / f"features/{layer}{part}.npy")
        distances = np.linalg.norm(features_of_part[:, None] - features[neighbors["indices"][:, :3]], axis=2)
        assert np.allclose(neighbors["distances"][:, :3], distances, rtol=1e-2, atol=1e-2)
        for folder in ("maps", "aligned"):
            coordinates = np.load(results / f"{folder}/{layer}{part}.npy")
            assert coordinates.shape == (count, 2) and coordinates.dtype == np.float32
            assert np.isfinite(coordinates).all()
    embedding = np.load(results / f"landmarks/{layer}/map.npy")
    assert np.array_equal(np.load(results / f"maps/{layer}.npy")[rows], embedding)
    record = json.loads((results / f"maps/{layer}.json").read_text())
    if layer == "pixel":
        assert record["start"]["from"] == "principal components" and record["start"]["of_rows"] == LANDMARKS
        assert record["r_squared"] is None
    else:
        reference = np.load(results / "maps/pixel.npy")[rows]
        assert record["start"]["from"] == "embedding of pixel"
        assert record["r_squared"] == pytest.approx(r_squared(embedding, reference))
    assert record["images"] == ROWS and record["landmarks"] == LANDMARKS and record["perplexity"] == 15
    assert not list(results.glob("landmarks/*/*-of-*")), "the parts are removed"
    assert len(pd.read_csv(results / "maps.csv")) == ROWS + 500
    tables = [pd.read_csv(run.folder / "results/Small/layers.csv") for run in (landmarked, finished)]
    with_landmarks, without = (
        table[(table.layer == layer) & (table.embedding == "tsne") & table.epoch.isna()].set_index("split")
        for table in tables
    )
    assert list(with_landmarks.rows) == list(SIZES.values())
    for split in SPLITS:
        loss = 0.04 if split == "train" else 0.12  # t-SNE embeds held-out images only without landmarks
        assert with_landmarks.knn_accuracy_map[split] > without.knn_accuracy_map[split] - loss


def test_landmarks_can_be_set_for_one_data_set(fresh, tmp_path):
    workflow = fresh.copy(tmp_path / "workflow")
    workflow.configure(datasets={"Small": {"pickle": "digits.pkl.gz", "tsne": {"landmarks": LANDMARKS}}})
    assert "embed_landmarks" in workflow.plan("results/Small/maps/pixel.npy")
    plan = workflow.plan("results/Digits/maps/pixel.npy")
    assert "embed_tsne" in plan and "embed_landmarks" not in plan


@pytest.mark.parametrize(
    ("change", "outdated"),
    [
        ({"landmarks": 400}, CHOSEN | EMBEDDED),
        ({"landmarks": LANDMARKS, "iterations": 400}, EMBEDDED),
        ({"landmarks": None}, {"find_neighbors", "embed_tsne"}),
    ],
)
def test_change_of_landmarks_or_of_their_embedding_outdates_what_depends_on_it(workflow, change, outdated):
    workflow.configure(tsne=change)
    targets = ["results/Small/scores/pixel.json", "results/Small/aligned/pixel.npy"]
    assert set(workflow.plan(*targets)) == outdated | {"score_map", "align_map"}


@pytest.mark.parametrize(
    ("script", "outdated"),
    [
        ("find_nearest_landmarks", {"find_nearest_landmarks", "gather_neighbors", "transform_rows", "gather_map"}),
        ("transform_rows", {"transform_rows", "gather_map"}),
    ],
)
def test_edited_script_outdates_its_output_though_the_parts_are_removed(workflow, script, outdated):
    path = workflow.folder / f"scripts/{script}.py"
    path.write_text(path.read_text() + "\n# edited\n")
    assert set(workflow.plan("results/Small/maps/pixel.npy")) == outdated


def test_all_rows_are_landmarks_if_there_are_fewer_than_configured(workflow):
    workflow.configure(tsne={"landmarks": 5000})
    targets = ["results/Small/scores/pixel.json", "results/Small/maps/pixel.json"]
    result = workflow.run("--", *targets)
    assert result.returncode == 0, result.stderr
    record = json.loads((workflow.folder / targets[1]).read_text())
    assert record["images"] == record["landmarks"] == ROWS
    direct = json.loads((workflow.folder / "results/Small/scores/dense3.json").read_text())
    scores = json.loads((workflow.folder / targets[0]).read_text())
    assert scores["train"]["rows"] == ROWS == direct["train"]["rows"] and scores["train"]["knn_accuracy_map"] > 0.95
