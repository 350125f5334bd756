"""The embedding on the CPU, and its record."""

import numpy as np
import openTSNE
import pytest
from find_landmark_neighbors import find_landmark_neighbors
from openTSNE.affinity import PrecomputedAffinities
from scipy.sparse import csr_matrix
from scipy.stats import mode
from sklearn.neighbors import NearestNeighbors

from common.tsne.affinities import compute_affinities
from common.tsne.objective import kl_divergence
from common.tsne.opentsne import fit_opentsne
from common.tsne.start import make_start
from common.tsne.transform import transform


@pytest.fixture(scope="module")
def start(blobs):
    return make_start(blobs[0], seed=0)


@pytest.fixture(scope="module")
def fitted(affinities, start, parameters):
    return fit_opentsne(affinities, start, parameters, threads=1)


def test_embedding_separates_blobs(blobs, fitted):
    coordinates, _ = fitted
    assert coordinates.shape == (400, 2) and np.isfinite(coordinates).all()
    nearest = NearestNeighbors(n_neighbors=2).fit(coordinates).kneighbors(return_distance=False)[:, 0]
    assert (blobs[1][nearest] == blobs[1]).all()


def test_record_says_how_the_embedding_was_made(fitted):
    record = dict(fitted[1])
    assert record.pop("optimization_seconds") >= 0
    assert record == {
        "backend": "openTSNE",
        "version": openTSNE.__version__,
        "repulsion": "all pairs",
        "phases": [
            {"iterations": 100, "exaggeration": 12, "learning_rate": 400 / 12, "momentum": 0.8},
            {"iterations": 150, "exaggeration": 1, "learning_rate": 400, "momentum": 0.8},
        ],
    }


@pytest.mark.parametrize(("n", "repulsion"), [(4000, "all pairs"), (4001, "grid")])
def test_record_names_the_method_of_the_repulsion(n, repulsion, parameters):
    ring = csr_matrix((np.ones(n), (np.arange(n), np.roll(np.arange(n), 1))), shape=(n, n))
    affinities = PrecomputedAffinities(((ring + ring.T) / 2 / n).tocsr(), normalize=False)
    parameters = parameters | {"exaggeration": 4, "exaggerated_iterations": 0, "iterations": 1}
    start = np.random.default_rng(0).normal(size=(n, 2))
    assert fit_opentsne(affinities, start, parameters, threads=1)[1]["repulsion"] == repulsion


def test_progress_is_logged_over_both_phases(affinities, start, parameters, caplog):
    caplog.set_level("INFO")
    coordinates, _ = fit_opentsne(affinities, start, parameters, threads=1)
    messages = [record.getMessage() for record in caplog.records if record.name == "workflow"]
    shown = [message.split(": KL divergence ") for message in messages]
    assert [iteration for iteration, _ in shown] == [f"iteration {i}" for i in (50, 100, 150, 200, 250)]
    assert float(shown[-1][1]) == pytest.approx(kl_divergence(coordinates, affinities.P), rel=0.02)


def test_embedding_is_the_same_again_and_with_any_number_of_threads(affinities, start, parameters, fitted):
    for threads in (1, 3):
        assert np.array_equal(fit_opentsne(affinities, start, parameters, threads)[0], fitted[0]), threads


@pytest.mark.parametrize(
    "features",
    [np.ones((300, 20)), np.repeat(np.eye(2, 20), 150, axis=0), np.linspace(0, 1, 300)[:, None]],
    ids=["all rows equal", "two rows, 150 times each", "one feature"],
)
def test_degenerate_features_have_finite_coordinates(features, parameters):
    features = features.astype(np.float32)
    neighbors, new = find_landmark_neighbors(features, [features[:50]], 30, seed=0, memory_mb=100, threads=1)
    affinities = compute_affinities(neighbors, 10, threads=1)
    coordinates, _ = fit_opentsne(affinities, make_start(features, seed=0), parameters, threads=1)
    assert np.isfinite(coordinates).all() and np.isfinite(kl_divergence(coordinates, affinities.P))
    assert np.isfinite(transform(coordinates, neighbors, new, threads=1)).all()


def knn_accuracy(coordinates, labels):
    nearest = NearestNeighbors(n_neighbors=10).fit(coordinates).kneighbors(return_distance=False)
    return (mode(labels[nearest], axis=1).mode == labels).mean()


@pytest.mark.slow
@pytest.mark.parametrize("layer", ["pixels", "hidden_layer"])
def test_embedding_is_as_good_as_with_the_gradient_of_opentsne(layer, digits, parameters, request):
    affinities, start = request.getfixturevalue(layer)
    parameters = parameters | {"exaggerated_iterations": 150, "iterations": 250}
    coordinates, record = fit_opentsne(affinities, start, parameters, threads=1)
    assert record["repulsion"] == "grid"
    by_opentsne = openTSNE.TSNEEmbedding(start, affinities, negative_gradient_method="bh", random_state=0)
    for iterations, exaggeration in (150, 12), (250, 1):
        rate = len(start) / exaggeration
        by_opentsne.optimize(iterations, inplace=True, exaggeration=exaggeration, learning_rate=rate, momentum=0.8)
    by_opentsne = np.array(by_opentsne)
    assert kl_divergence(coordinates, affinities.P) <= 1.001 * kl_divergence(by_opentsne, affinities.P)
    assert abs(knn_accuracy(coordinates, digits[1]) - knn_accuracy(by_opentsne, digits[1])) < 0.005
