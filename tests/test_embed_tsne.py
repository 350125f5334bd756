"""t-SNE and its KL divergence."""

import numpy as np
import pytest
from align_map import align_map
from embed_tsne import START_SPREAD, describe_start, fit_opentsne, kl_divergence, start_layout
from find_neighbors import find_neighbors
from scipy.sparse import csr_matrix
from sklearn.datasets import make_blobs

from common.tsne.affinities import affinities
from common.tsne.transform import place

PARAMETERS = {
    "gradient": "fast",
    "seed": 0,
    "perplexity": 10,
    "exaggeration": 12,
    "exaggerated_iterations": 100,
    "iterations": 150,
}


@pytest.fixture(scope="module")
def blobs():
    features, labels = make_blobs(400, 30, centers=4, random_state=0)
    return features.astype(np.float32), labels


@pytest.fixture(scope="module")
def neighbors(blobs):
    return affinities(find_neighbors(blobs[0], blobs[0][:0], 30, seed=0, memory=100, threads=1)[0], 10, threads=1)


def test_map_separates_blobs_and_says_how_it_was_made(blobs, neighbors, caplog):
    caplog.set_level("INFO")
    features, labels = blobs
    coordinates, facts = fit_opentsne(neighbors, start_layout(features, seed=0), PARAMETERS, threads=1)
    assert coordinates.shape == (400, 2) and np.isfinite(coordinates).all()
    distances = np.linalg.norm(coordinates[:, None] - coordinates, axis=2) + np.diag(np.full(400, np.inf))
    assert (labels[distances.argmin(axis=1)] == labels).all()
    assert facts["backend"] == "openTSNE" and facts["learning_rates"] == [400 / 12, 400]
    shown = [record.getMessage().split(":")[0] for record in caplog.records]
    assert shown == [f"iteration {i}" for i in (50, 100, 150, 200, 250)]


def test_start_is_the_principal_components_on_a_small_scale(blobs):
    features, _ = blobs
    start = start_layout(features, seed=0)
    assert start.shape == (400, 2) and start[:, 0].std() == pytest.approx(1e-4, rel=0.01)
    _, _, components = np.linalg.svd(features - features.mean(axis=0), full_matrices=False)
    expected = (features - features.mean(axis=0)) @ components[:2].T
    for axis in (0, 1):
        assert abs(np.corrcoef(start[:, axis], expected[:, axis])[0, 1]) > 0.999


def test_start_of_equal_rows_is_noise():
    start = start_layout(np.ones((600, 20), np.float32), seed=0)
    assert len(np.unique(start, axis=0)) == 600 and np.allclose(start.std(axis=0), 1e-6, rtol=0.1)


def test_start_is_described_by_what_was_used(monkeypatch):
    described = {"principal_components": 2, "of_rows": 10_000, "standard_deviation": 1e-4, "jitter": 1e-6}
    assert describe_start((50_000, 784)) == described
    assert describe_start((300, 1)) == described | {"principal_components": 1, "of_rows": 300}
    assert describe_start((50_000, 100_000))["of_rows"] == 500, "as many as SAMPLE_MB hold"
    monkeypatch.setattr("embed_tsne.START_SPREAD", 2 * START_SPREAD)
    assert describe_start((300, 5))["standard_deviation"] == 2e-4


@pytest.mark.parametrize(
    "features",
    [np.ones((600, 20)), np.repeat(np.eye(2, 20), 300, axis=0), np.linspace(0, 1, 600)[:, None]],
    ids=["all the same", "two images, 300 times each", "one feature"],
)
def test_odd_data_has_a_finite_map(features):
    features = features.astype(np.float32)
    found, placed = find_neighbors(features, features[:50], 30, seed=0, memory=100, threads=1)
    neighbors = affinities(found, 10, threads=1)
    coordinates, _ = fit_opentsne(neighbors, start_layout(features, seed=0), PARAMETERS, threads=1)
    assert np.isfinite(coordinates).all() and np.isfinite(kl_divergence(coordinates, neighbors.P))
    assert np.isfinite(place(coordinates, found, placed, threads=1)).all()


def test_affinities_are_symmetric_and_sum_to_one(neighbors):
    assert neighbors.P.sum() == pytest.approx(1)
    assert abs(neighbors.P - neighbors.P.T).max() < 1e-12


def test_kl_divergence_is_that_of_the_definition(neighbors):
    coordinates = np.random.default_rng(0).normal(size=(400, 2)).astype(np.float32)
    p = neighbors.P.toarray()
    q = 1 / (1 + ((coordinates[:, None].astype(np.float64) - coordinates) ** 2).sum(axis=2))
    np.fill_diagonal(q, 0)
    q /= q.sum()
    expected = (p[p > 0] * np.log(p[p > 0] / q[p > 0])).sum()
    for threads in (1, 2):
        assert kl_divergence(coordinates, neighbors.P, threads) == pytest.approx(expected, rel=1e-5)


def test_affinities_of_zero_add_nothing_to_the_kl_divergence():
    coordinates = np.array([[0, 0], [1, 0], [0, 2]], np.float32)
    p = csr_matrix(([0.5, 0.5, 0.0], ([0, 1, 2], [1, 0, 0])), shape=(3, 3))
    z = 2 * (1 / 2 + 1 / 5 + 1 / 6)
    assert kl_divergence(coordinates, p) == pytest.approx(np.log(0.5 / (1 / 2 / z)), rel=1e-6)


def test_affinities_heed_three_times_the_perplexity_and_no_more(blobs):
    found, _ = find_neighbors(blobs[0], blobs[0][:0], 40, seed=0, memory=100, threads=1)
    nearest = {name: found[name][:, :30] for name in ("indices", "distances")}
    assert (affinities(found, 10, threads=1).P != affinities(nearest, 10, threads=1).P).nnz == 0
    assert (affinities(found, 10, threads=1).P != affinities(found, 12, threads=1).P).nnz > 0


def test_unseen_rows_are_placed_among_their_own_kind_and_the_map_stays(blobs):
    features, labels = blobs
    seen, unseen = slice(0, 300), slice(300, 400)
    found, placed = find_neighbors(features[seen], features[unseen], 30, seed=0, memory=100, threads=1)
    start = start_layout(features[seen], seed=0)
    coordinates, _ = fit_opentsne(affinities(found, 10, threads=1), start, PARAMETERS, threads=1)
    coordinates += [100, -50]  # a map need not be about the origin
    before = coordinates.copy()
    places = place(coordinates, found, placed, threads=1)
    assert places.shape == (100, 2) and np.array_equal(coordinates, before)
    distances = np.linalg.norm(places[:, None] - coordinates, axis=2)
    assert (labels[seen][distances.argmin(axis=1)] == labels[unseen]).all()


def test_aligned_map_is_turned_onto_the_other_and_not_stretched():
    generator = np.random.default_rng(0)
    reference = generator.normal(size=(200, 2)) * [3, 1]
    angle = np.deg2rad(130)
    mirrored = np.array([[np.cos(angle), np.sin(angle)], [np.sin(angle), -np.cos(angle)]])
    coordinates = 2 * reference @ mirrored + [7, -4]
    aligned = align_map(coordinates, coordinates, reference)
    assert np.allclose(aligned, 2 * (reference - reference.mean(axis=0)))
    others = generator.normal(size=(5, 2))
    moved = align_map(others, coordinates, reference)
    assert np.allclose(np.linalg.norm(moved[0] - moved, axis=1), np.linalg.norm(others[0] - others, axis=1))
