"""The reference of an embedding: how similar the two are, and the start from it."""

import json

import numpy as np
import pytest
import yaml
from embed_tsne import load_reference, r_squared
from threadpoolctl import threadpool_limits

from common.errors import UserError
from common.tsne.affinities import compute_affinities
from common.tsne.opentsne import fit_opentsne
from common.tsne.start import make_start, scale_start
from helpers import ROOT, Workflow

SUFFIXES = ("", "_validation", "_test")
SIZES = [1297, 250, 250]


@pytest.fixture
def points():
    return np.random.default_rng(0).normal(size=(300, 2)) * [4, 1]


def rotated(points, degrees, mirrored=False):
    angle = np.deg2rad(degrees)
    axes = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    return points @ axes * ([-1, 1] if mirrored else 1)


@pytest.mark.parametrize("mirrored", [False, True])
def test_moved_rotated_reflected_and_scaled_copy_explains_all_variance(points, mirrored):
    copy = 3 * rotated(points, 130, mirrored) + [20, -7]
    assert r_squared(copy.astype(np.float32), points) == pytest.approx(1, abs=1e-6)


def test_share_of_the_variance_is_that_of_a_linear_fit(points):
    """Noise on all coordinates leaves a share; independent points explain next to nothing."""
    noise = np.random.default_rng(1).normal(size=(300, 2))
    centered = points - points.mean(axis=0)
    other = rotated(centered + noise, 40)
    other -= other.mean(axis=0)
    singular = np.linalg.svd(other.T @ centered, compute_uv=False).sum()
    residuals = (centered**2).sum() - singular**2 / (other**2).sum()
    share = r_squared(other, points)
    assert share == pytest.approx(1 - residuals / (centered**2).sum()) and 0.8 < share < 0.95
    assert r_squared(noise, points) < 0.05


def test_points_on_each_other_explain_nothing_and_have_nothing_to_explain(points):
    same = np.full((300, 2), 3.0)
    assert r_squared(same, points) is None and r_squared(points, same) is None
    assert r_squared(points[:1], points[:1]) is None
    assert r_squared(points * [1, 0], points) > 0.5, "a line has variance"


def test_reference_is_the_embedding_of_all_splits_or_of_the_landmarks(points, tmp_path):
    paths, features, landmarks = [], [], tmp_path / "rows.npy"
    for number, rows in enumerate(np.split(points, [200, 200])):
        paths.append(tmp_path / f"map{number}.npy")
        features.append(tmp_path / f"features{number}.npy")
        np.save(paths[-1], rows)
        np.save(features[-1], np.zeros((len(rows), 5), np.float32))
    np.save(landmarks, [7, 3, 150])
    assert np.array_equal(load_reference(paths, features, None), points)
    assert np.array_equal(load_reference(paths[:1], features[:1], landmarks), points[[7, 3, 150]])
    assert load_reference([], features, None) is None and load_reference([], features, landmarks) is None
    np.save(paths[2], points[201:])
    with pytest.raises(UserError, match=r"map2\.npy has 99 rows, .*features2\.npy has 100\. Rebuild: .*map2\.npy"):
        load_reference(paths, features, None)
    np.save(paths[0], points[:150])
    with pytest.raises(UserError, match=r"map0\.npy is damaged \(IndexError: .*\)\. Rebuild"):
        load_reference(paths[:1], features[:1], landmarks)


def results(workflow: Workflow):
    return workflow.folder / "results/Small"


def record_of(workflow: Workflow, layer: str) -> dict:
    return json.loads((results(workflow) / f"maps/{layer}.json").read_text())


def load_maps(workflow: Workflow, layer: str) -> list[np.ndarray]:
    return [np.load(results(workflow) / f"maps/{layer}{suffix}.npy") for suffix in SUFFIXES]


def test_record_says_where_an_embedding_started_and_how_similar_it_is_to_the_reference(finished):
    scale = {"standard_deviation": 1e-4, "jitter": 1e-6}
    pixel = record_of(finished, "pixel")
    assert pixel["start"] == {"from": "principal components", "components": 2, "of_rows": sum(SIZES)} | scale
    assert pixel["r_squared"] is None
    for layer in ("conv1", "conv2", "dense3"):
        record = record_of(finished, layer)
        assert record["start"] == {"from": "embedding of pixel"} | scale
        expected = r_squared(*(load_maps(finished, name)[0] for name in (layer, "pixel")))
        assert record["r_squared"] == pytest.approx(expected) and 0.3 < expected < 1
        assert record["images"] == SIZES[0] and record["held_out_images"] == sum(SIZES[1:])


def test_images_of_all_splits_are_embedded_together(finished):
    maps = load_maps(finished, "conv1")
    assert [rows.shape for rows in maps] == [(size, 2) for size in SIZES]
    assert all(rows.dtype == np.float32 for rows in maps)
    joint = np.load(results(finished) / "neighbors/conv1_joint.npz")
    assert joint["indices"].shape == (sum(SIZES), 45)


@pytest.mark.slow
@pytest.mark.parametrize("start", ["reference", "pca"])
def test_layer_starts_from_the_reference_or_from_its_own_components(workflow, start):
    """Against the embedding of the stored neighbors."""
    workflow.configure(tsne={"perplexity": 15, "start": start})
    result = workflow.run("--forcerun", "embed_tsne", "--", "results/Small/maps/conv1.json")
    assert result.returncode == 0, result.stdout + result.stderr
    features = np.concatenate([np.load(results(workflow) / f"features/conv1{suffix}.npy") for suffix in SUFFIXES])
    with np.load(results(workflow) / "neighbors/conv1_joint.npz") as stored:
        affinities = compute_affinities(stored, 15, threads=1)
    reference = np.concatenate(load_maps(workflow, "pixel"))
    with threadpool_limits(1):  # as in a job; more threads add in another order
        coordinates = scale_start(reference, 1004) if start == "reference" else make_start(features, 1004)
    parameters = yaml.safe_load((ROOT / "config/config.yaml").read_text())["tsne"] | {"seed": 1004}
    expected, _ = fit_opentsne(affinities, coordinates, parameters, threads=1)
    assert np.array_equal(np.concatenate(load_maps(workflow, "conv1")), expected.astype(np.float32))
    described = {"reference": "embedding of pixel", "pca": "principal components"}[start]
    record = record_of(workflow, "conv1")
    assert record["start"]["from"] == described and record["r_squared"] is not None
