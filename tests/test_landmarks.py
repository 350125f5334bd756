"""Landmarks: how they are chosen, how the others are placed in their map, and whole runs with them."""

import json

import numpy as np
import pandas as pd
import pytest
from choose_landmarks import choose_landmarks
from embed_tsne import fit_opentsne, start_layout
from find_nearest_landmarks import find_nearest_landmarks
from find_neighbors import find_neighbors
from gather_neighbors import gather_neighbors
from score_map import score_map
from sklearn.datasets import make_blobs
from transform_rows import transform_rows

from common.knn.chunks import share
from common.tsne.affinities import affinities
from common.tsne.transform import place
from helpers import Workflow

ROWS, LANDMARKS, SCATTER = 1297, 500, 3
FOUND = {"choose_landmarks": 1, "find_landmark_neighbors": 1, "find_nearest_landmarks": SCATTER, "gather_neighbors": 1}
MAPPED = {"embed_landmarks": 1, "transform_rows": SCATTER, "gather_map": 1}
TESTED = {"transform_images_by_landmarks": 1}
COMPARED = [
    "compare_layers",
    "plot_layers",
    "plot_scores",
    "tabulate_maps",
    "build_explorer",
    "summarize_run",
    "write_methods",
]


@pytest.fixture(scope="module")
def blobs():
    """Rows in 30 dimensions: a large blob, a small one, and a tiny one far away, 900, 90 and 10 rows."""
    features, labels = make_blobs([900, 90, 10], 30, cluster_std=2, random_state=3)
    return features.astype(np.float32), labels


def test_landmarks_are_as_dense_as_the_rows_everywhere(blobs):
    features, labels = blobs
    rows = choose_landmarks(features, 200, seed=0, threads=1)
    assert rows.dtype == np.int64 and len(rows) == 200 and (np.diff(rows) > 0).all()
    assert rows[0] >= 0 and rows[-1] < 1000
    for label, count in enumerate((180, 18, 2)):  # to within one: cells do not mix blobs
        assert abs((labels[rows] == label).sum() - count) <= 1
    assert not np.array_equal(rows, choose_landmarks(features, 200, seed=1, threads=1))


def test_of_fewer_rows_all_are_landmarks(blobs):
    for count in (1000, 2000):
        assert np.array_equal(choose_landmarks(blobs[0], count, seed=0, threads=1), np.arange(1000))


@pytest.mark.parametrize("features", [np.ones((50, 3)), np.arange(50)[:, None]], ids=["all the same", "one feature"])
def test_landmarks_of_odd_data_are_rows(features):
    rows = choose_landmarks(features.astype(np.float32), 40, seed=0, threads=1)
    assert len(np.unique(rows)) == 40 and rows.max() < 50


def test_shares_are_all_rows_in_their_order():
    for count in (0, 5, 16, 1297):
        shares = [share(count, f"{number}-of-16") for number in range(1, 17)]
        assert [row for part in shares for row in range(count)[part]] == list(range(count))
        sizes = [part.stop - part.start for part in shares]
        assert max(sizes) - min(sizes) <= 1


@pytest.mark.parametrize("memory", [100, 0.01], ids=["at once", "in pieces"])
def test_nearest_landmarks_are_those_of_brute_force_and_called_by_their_rows(blobs, memory):
    features, _ = blobs
    landmarks = choose_landmarks(features, 200, seed=0, threads=1)
    parts = [
        find_nearest_landmarks(
            features, share(1000, f"{number}-of-3"), features[landmarks], landmarks, 30, 0, memory, threads=1
        )
        for number in (1, 2, 3)
    ]
    assert all(part["method"] == "exact" and part["recall"] == 1 for part in parts)
    found = gather_neighbors(parts, landmarks)
    distances = np.linalg.norm(features[:, None].astype(np.float64) - features[landmarks], axis=2)
    distances[landmarks, np.arange(200)] = np.inf  # a landmark is not its own neighbor
    assert found["indices"].shape == (1000, 30) and found["indices"].dtype == np.int32
    same = found["indices"] == landmarks[np.argsort(distances, axis=1)[:, :30]]
    assert same.mean() > 0.999, "but for two that are equally far"
    assert found["distances"].dtype == np.float32 and found["method"] == "exact"
    assert np.allclose(found["distances"], np.sort(distances, axis=1)[:, :30], atol=1e-3)


@pytest.fixture(scope="module")
def laid_out(blobs):
    """What transform_rows takes: a map of landmarks, their neighbors, the landmarks, and the neighbors of all rows."""
    features, _ = blobs
    landmarks = choose_landmarks(features, 400, seed=0, threads=1)
    own, _ = find_neighbors(features[landmarks], features[:0], 30, seed=0, memory=100, threads=1)
    parameters = {"gradient": "fast", "seed": 0, "exaggeration": 12, "exaggerated_iterations": 100, "iterations": 150}
    start = start_layout(features[landmarks], seed=0)
    coordinates, _ = fit_opentsne(affinities(own, 10, threads=1), start, parameters, threads=1)
    part = find_nearest_landmarks(
        features, slice(0, 1000), features[landmarks], landmarks, 30, seed=0, memory=100, threads=1
    )
    return coordinates.astype(np.float32), own, landmarks, gather_neighbors([part], landmarks)


def test_landmarks_keep_their_place_and_others_come_among_their_own_kind(blobs, laid_out):
    coordinates, _, landmarks, _ = laid_out
    places = transform_rows(*laid_out, slice(0, 1000), threads=1)
    assert places.shape == (1000, 2) and np.array_equal(places[landmarks], coordinates)
    others = np.setdiff1d(np.arange(1000), landmarks)
    distances = np.linalg.norm(places[others][:, None] - coordinates, axis=2)
    assert (blobs[1][landmarks][distances.argmin(axis=1)] == blobs[1][others]).mean() > 0.99


@pytest.mark.parametrize("jobs", [7, 400])
def test_places_are_the_same_whatever_is_placed_with_them(laid_out, jobs):
    whole = transform_rows(*laid_out, slice(0, 1000), threads=1)
    numbers = range(1, jobs + 1) if jobs < 400 else (1, 200, 400)  # of two or three rows
    for number in numbers:
        rows = share(1000, f"{number}-of-{jobs}")
        assert np.array_equal(transform_rows(*laid_out, rows, threads=1), whole[rows])


def test_rows_are_placed_nearer_to_their_neighbors_than_by_the_settings_of_opentsne(laid_out, monkeypatch):
    """The share of the 10 nearest landmarks that are kept, of rows that are none."""
    coordinates, own, landmarks, neighbors = laid_out
    others = np.setdiff1d(np.arange(1000), landmarks)
    placed = {
        "indices": np.searchsorted(landmarks, neighbors["indices"][others]),
        "distances": neighbors["distances"][others],
    }

    def kept() -> float:
        places = place(coordinates, own, placed, threads=1)
        found = np.linalg.norm(places[:, None] - coordinates, axis=2).argsort(axis=1)[:, :10]
        return np.mean([len(np.intersect1d(a, b)) for a, b in zip(found, placed["indices"][:, :10], strict=True)]) / 10

    ours = kept()
    monkeypatch.setattr("common.tsne.transform.SETTINGS", {})
    assert ours > kept()


def test_scores_are_of_all_rows_and_vote_by_landmarks(blobs):
    features, labels = blobs
    places = features[:, :2]
    landmarks = np.arange(0, 1000, 4)

    def nearest(points: np.ndarray) -> np.ndarray:
        distances = np.linalg.norm(points[:, None].astype(np.float64) - points[landmarks], axis=2)
        distances[landmarks, np.arange(len(landmarks))] = np.inf
        return landmarks[np.argsort(distances, axis=1)[:, :30]]

    true, found = nearest(features), nearest(places)
    none = features[:0], true[:0], places[:0], labels[:0]
    scores = score_map(features, true, places, labels, none, list("abc"), landmarks)["train"]
    assert scores["rows"] == 1000
    for k in (10, 30):
        shared = [len(np.intersect1d(f[:k], t[:k])) / k for f, t in zip(found, true, strict=True)]
        assert scores[f"kept_{k}"] == pytest.approx(np.mean(shared))
    for space, indices in (("features", true), ("map", found)):
        votes = [np.bincount(votes).argmax() for votes in labels[indices[:, :10]]]
        assert scores[f"{space}_accuracy"] == pytest.approx((votes == labels).mean())


@pytest.fixture(scope="module")
def landmarked(finished, tmp_path_factory) -> Workflow:
    """The finished run with landmarks after all, and made again. Not to be changed."""
    workflow = finished.copy(tmp_path_factory.mktemp("landmarked") / "workflow")
    workflow.configure(layers=["pixel", "dense3"], tsne={"landmarks": LANDMARKS})
    workflow.scatter(SCATTER)
    plan = workflow.plan()
    per_layer = FOUND | MAPPED | TESTED | {"align_map": 2, "score_map": 1, "plot_scatter": 1, "plot_thumbnails": 1}
    assert plan == dict.fromkeys(COMPARED, 1) | {rule: 2 * count for rule, count in per_layer.items()}, (
        "no network, no features"
    )
    result = workflow.run()
    assert result.returncode == 0, result.stdout + result.stderr
    assert workflow.plan() == {}
    return workflow


@pytest.fixture
def workflow(landmarked, tmp_path) -> Workflow:
    """A copy of it, to change."""
    return landmarked.copy(tmp_path / "workflow")


def test_rows_are_scattered_over_sixteen_jobs(fresh, tmp_path):
    workflow = fresh.copy(tmp_path / "workflow")
    workflow.configure(tsne={"landmarks": LANDMARKS})
    plan = workflow.plan("results/Small/maps/pixel.npy")
    scattered = {"find_nearest_landmarks": 16, "transform_rows": 16}
    assert plan == {"prepare_dataset": 1, "flatten_images": 1} | FOUND | MAPPED | scattered


@pytest.mark.parametrize("layer", ["pixel", "dense3"])
def test_all_rows_have_neighbors_places_and_scores(landmarked, finished, layer):
    results = landmarked.folder / "results/Small"
    rows = np.load(results / f"landmarks/{layer}/rows.npy")
    features = np.load(results / f"features/{layer}.npy")
    chosen = np.load(results / f"landmarks/{layer}/features.npy")
    assert rows.shape == (LANDMARKS,) and chosen.dtype == np.float32 and np.array_equal(chosen, features[rows])
    for part, count in (("", ROWS), ("_test", 250)):
        neighbors = np.load(results / f"neighbors/{layer}{part}.npz")
        assert neighbors["indices"].shape == neighbors["distances"].shape == (count, 45)
        assert neighbors["indices"].dtype == np.int32 and neighbors["distances"].dtype == np.float32
        assert set(neighbors["indices"].ravel()) <= set(rows) and neighbors["method"] == "exact"
        asked = np.load(results / f"features/{layer}{part}.npy")
        distances = np.linalg.norm(asked[:, None] - features[neighbors["indices"][:, :3]], axis=2)
        assert np.allclose(neighbors["distances"][:, :3], distances, rtol=1e-2, atol=1e-2)
        for folder in ("maps", "aligned"):
            places = np.load(results / f"{folder}/{layer}{part}.npy")
            assert places.shape == (count, 2) and places.dtype == np.float32 and np.isfinite(places).all()
    assert np.load(results / f"neighbors/{layer}.npz")["recall"] == 1
    laid_out = np.load(results / f"landmarks/{layer}/map.npy")
    assert np.array_equal(np.load(results / f"maps/{layer}.npy")[rows], laid_out)
    facts = json.loads((results / f"maps/{layer}.json").read_text())
    assert facts["images"] == ROWS and facts["landmarks"] == LANDMARKS and facts["perplexity"] == 15
    assert not list(results.glob("landmarks/*/*-of-*")), "the parts are gone"
    assert len(pd.read_csv(results / "maps.csv")) == ROWS + 250
    ours, theirs = (pd.read_csv(run.folder / "results/Small/layers.csv") for run in (landmarked, finished))
    ours, theirs = (table[table.layer == layer].set_index("split") for table in (ours, theirs))
    assert list(ours.rows) == [ROWS, 250]
    for split in ("train", "test"):
        assert ours.knn_accuracy_map[split] > theirs.knn_accuracy_map[split] - 0.04


def test_data_set_has_landmarks_of_its_own(fresh, tmp_path):
    workflow = fresh.copy(tmp_path / "workflow")
    workflow.configure(datasets={"Small": {"pickle": "digits.pkl.gz", "tsne": {"landmarks": LANDMARKS}}})
    assert workflow.plan("results/Small/maps/pixel.npy")["embed_landmarks"] == 1
    plan = workflow.plan("results/Digits/maps/pixel.npy")
    assert plan["embed_tsne"] == 1 and plan["embed_landmarks"] == 0


@pytest.mark.parametrize(
    ("change", "stale"),
    [
        ({"landmarks": 400}, FOUND | MAPPED | TESTED),
        ({"landmarks": LANDMARKS, "iterations": 400}, MAPPED | TESTED),
        ({"landmarks": None}, {"find_neighbors": 1, "embed_tsne": 1, "transform_images": 1}),
    ],
)
def test_change_of_landmarks_or_of_their_map_makes_stale_what_depends_on_it(workflow, change, stale):
    workflow.configure(tsne=change)
    targets = ["results/Small/scores/pixel.json", "results/Small/aligned/pixel.npy"]
    assert workflow.plan(*targets) == stale | {"score_map": 1, "align_map": 1}


@pytest.mark.parametrize(
    ("script", "stale"),
    [
        ("find_nearest_landmarks", dict.fromkeys(("find_nearest_landmarks", "transform_rows"), SCATTER)),
        ("transform_rows", {"transform_rows": SCATTER}),
    ],
)
def test_edited_script_of_the_parts_which_are_gone_makes_them_anew(workflow, script, stale):
    path = workflow.folder / f"scripts/{script}.py"
    path.write_text(path.read_text() + "\n# edited\n")
    gathered = {"gather_map": 1} | ({"gather_neighbors": 1} if script == "find_nearest_landmarks" else {})
    assert workflow.plan("results/Small/maps/pixel.npy") == stale | gathered


def test_more_landmarks_than_rows_are_all_rows(workflow):
    workflow.configure(tsne={"landmarks": 5000})
    targets = ["results/Small/scores/pixel.json", "results/Small/maps/pixel.json"]
    result = workflow.run("--", *targets)
    assert result.returncode == 0, result.stderr
    facts = json.loads((workflow.folder / targets[1]).read_text())
    assert facts["images"] == facts["landmarks"] == ROWS
    direct = json.loads((workflow.folder / "results/Small/scores/dense3.json").read_text())
    scores = json.loads((workflow.folder / targets[0]).read_text())
    assert scores["train"]["rows"] == ROWS == direct["train"]["rows"] and scores["train"]["knn_accuracy_map"] > 0.95
