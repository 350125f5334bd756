"""The fast descent of t-SNE: its gradient against the exact sums, its maps against openTSNE's own."""

import os
import shutil
import subprocess
import sys
import threading
import warnings
from types import SimpleNamespace

import numpy as np
import pytest
from embed_tsne import fit_opentsne, kl_divergence, start_layout
from find_neighbors import find_neighbors
from openTSNE import TSNEEmbedding
from openTSNE.tsne import gradient_descent
from scipy.sparse import csr_matrix
from scipy.spatial.distance import pdist
from scipy.stats import mode
from skimage.transform import rotate
from sklearn.datasets import load_digits
from sklearn.neighbors import NearestNeighbors
from sklearn.neural_network import MLPClassifier

from common import tsne_descent
from common.tsne.affinities import affinities
from common.tsne.descent.optimizer import Attraction, BlockPool, Descent, repulsion
from helpers import ROOT

N = 5000  # beyond the number up to which sums are exact
PARAMETERS = {"seed": 0, "perplexity": 30, "exaggeration": 12, "exaggerated_iterations": 150, "iterations": 250}


@pytest.fixture(scope="module")
def images():
    """scikit-learn's 1,797 digits, each three times, turned a little: pixels (5000, 64) and labels (5000,)."""
    digits = load_digits()
    turned = [[rotate(image / 16, angle) for image in digits.images] for angle in (-12, 0, 12)]
    return np.concatenate(turned).reshape(-1, 64)[:N].astype(np.float32), np.tile(digits.target, 3)[:N]


def affinities_and_start(features):
    """What t-SNE begins with."""
    found, _ = find_neighbors(features, features[:0], 90, seed=0, memory=100, threads=1)
    return affinities(found, 30, threads=1), start_layout(features, seed=0)


@pytest.fixture(scope="module")
def digits(images):
    """Those of the pixels."""
    return affinities_and_start(images[0])


@pytest.fixture(scope="module")
def hidden_layer(images):
    """Those of a hidden layer of a network that was trained on them."""
    network = MLPClassifier(40, max_iter=30, random_state=0)
    with warnings.catch_warnings(action="ignore"):  # it would learn more
        network.fit(*images)
    return affinities_and_start(np.maximum(images[0] @ network.coefs_[0] + network.intercepts_[0], 0))


@pytest.fixture(scope="module")
def stages(digits):
    """The map (n, 2) at the start, in between, and at the end, by the number of iterations."""
    neighbors, start = digits
    found = {0: start}
    embedding = TSNEEmbedding(start, neighbors, optimizer=Descent(), negative_gradient_method="bh", random_state=0)
    for iterations, exaggeration in ((1, 12), (20, 12), (129, 12), (10, 1), (50, 1), (190, 1)):
        embedding.optimize(iterations, inplace=True, exaggeration=exaggeration, learning_rate=N / exaggeration)
        found[max(found) + iterations] = np.array(embedding)
    return found


def exact(points, some):
    """The repulsion of some points (n, 2), and each one's part of Z."""
    points = points.astype(np.float64)
    offsets = points[some, None] - points
    weights = 1 / (1 + (offsets**2).sum(axis=2))
    return (weights[..., None] ** 2 * offsets).sum(axis=1), weights.sum(axis=1) - 1


def error(points, threads=1, some=None):
    """The relative error of the repulsion (of some points), and of Z (of all, if few)."""
    points = np.asarray(points, np.float32)
    with BlockPool(threads) as crew:
        forces, normalization = repulsion(np.ascontiguousarray(points.T), crew)
    some = np.arange(len(points)) if some is None else some
    expected, parts = exact(points, some)
    of_forces = np.linalg.norm(forces.T[some] - expected) / np.linalg.norm(expected)
    return of_forces, abs(normalization / parts.sum() - 1) if len(some) == len(points) else 0


SAMPLE = np.arange(0, N, 10)


def test_repulsion_is_that_of_the_definition_at_each_stage(stages):
    assert max(np.ptp(stages[0], axis=0)) < 0.01 and max(np.ptp(stages[400], axis=0)) > 60
    for iteration, points in stages.items():
        assert error(points, some=SAMPLE)[0] < 2e-2, iteration


def test_normalization_is_that_of_the_definition_at_each_stage(stages):
    for iteration, points in stages.items():
        with BlockPool(1) as crew:
            _, normalization = repulsion(np.ascontiguousarray(points.T, np.float32), crew)
        assert normalization == pytest.approx((1 / (1 + pdist(points, "sqeuclidean"))).sum() * 2, rel=1e-3), iteration


@pytest.mark.parametrize("count", [10, 100, 1000, 4000])
def test_repulsion_of_few_points_is_exact(stages, count):
    of_forces, of_normalization = error(stages[400][:: N // count][:count])
    assert of_forces < 1e-5 and of_normalization < 1e-5


def test_repulsion_among_50_000_points():
    # as dense as a map of so many images: clusters, of which some are thin and some far from the others
    generator = np.random.default_rng(0)
    centers, widths = generator.uniform(-90, 90, (40, 1, 2)), generator.uniform(2, 12, (40, 1, 1))
    points = (centers + widths * generator.normal(size=(40, 1250, 2))).reshape(-1, 2)
    assert error(points, some=np.arange(0, 50_000, 125))[0] < 2e-2


def test_duplicates(stages):
    points = np.concatenate([stages[400][:3000], np.repeat(stages[400][3000:3100], 20, axis=0)])
    assert error(points, some=SAMPLE)[0] < 2e-2


def test_all_in_one_point_repel_nothing():
    points = np.full((2, N), 3, np.float32)
    with BlockPool(1) as crew:
        forces, normalization = repulsion(points, crew)
    assert abs(forces).max() < 1e-6 and normalization == pytest.approx(N * (N - 1))


@pytest.mark.parametrize("distance", [1e3, 1e6])
def test_far_points_cost_neither_accuracy_nor_a_large_grid(stages, distance, monkeypatch):
    sizes, transform = [], tsne_descent._kernel
    monkeypatch.setattr(tsne_descent, "_kernel", lambda size, spacing: sizes.append(size) or transform(size, spacing))
    around = np.random.default_rng(0).normal(size=(30, 2))
    points = np.concatenate([stages[400], distance * around / np.linalg.norm(around, axis=1)[:, None]])
    assert error(points, some=SAMPLE)[0] < 2e-2
    assert error(points, some=np.arange(N, N + 30))[0] < 1e-3  # which are summed
    assert max(max(size) for size in sizes) < 1000


def test_more_far_points_than_there_is_time_for_make_the_grid_coarser(monkeypatch):
    grids, transform = [], tsne_descent._kernel
    monkeypatch.setattr(tsne_descent, "_kernel", lambda *grid: grids.append(grid) or transform(*grid))
    points = np.random.default_rng(0).uniform(-1e5, 1e5, (2, 20_000)).astype(np.float32)
    with BlockPool(1) as crew:
        forces, _ = repulsion(points, crew)
    assert np.isfinite(forces).all()
    [(size, spacing)] = grids
    assert max(size) < 1000 and spacing > 100


def test_coordinates_that_are_not_finite_are_refused():
    points = np.zeros((2, N), np.float32)
    points[0, 7] = np.nan
    with BlockPool(1) as crew, pytest.raises(FloatingPointError, match="not finite"):
        repulsion(points, crew)


def test_attraction_and_divergence_are_those_of_the_definition(digits, stages):
    p, points = digits[0].P, stages[400]
    attraction = Attraction(p)
    order, pairs = attraction.order, p.tocoo()
    offsets = points[pairs.row] - points[pairs.col]
    pulls = pairs.data / (1 + (offsets**2).sum(axis=1))
    expected = np.stack([np.bincount(pairs.row, pulls * offsets[:, axis], N) for axis in (0, 1)])
    ordered = np.ascontiguousarray(points[order].T, np.float32)
    with BlockPool(1) as crew:
        assert np.allclose(attraction.forces(ordered, crew), expected[:, order], rtol=1e-3, atol=1e-9)
        _, normalization = repulsion(ordered, crew)
        assert attraction.divergence(ordered, normalization, crew) == pytest.approx(kl_divergence(points, p), abs=1e-3)


def fit(digits, threads=1, gradient="fast"):
    return fit_opentsne(*digits, PARAMETERS | {"gradient": gradient}, threads)


@pytest.fixture(scope="module")
def fitted(digits):
    return fit(digits)


@pytest.mark.parametrize("layer", ["digits", "hidden_layer"])
def test_map_is_as_good_as_by_openTSNE(layer, images, request):
    layer = request.getfixturevalue(layer)
    (own, facts), (theirs, other_facts) = fit(layer), fit(layer, gradient="opentsne")
    assert (facts["gradient"], other_facts["gradient"]) == ("fast", "Barnes-Hut")
    assert kl_divergence(own, layer[0].P) <= 1.001 * kl_divergence(theirs, layer[0].P)
    labels = images[1]
    near = [NearestNeighbors(n_neighbors=10).fit(places).kneighbors(return_distance=False) for places in (own, theirs)]
    accuracies = [(mode(labels[indices], axis=1).mode == labels).mean() for indices in near]
    assert abs(accuracies[0] - accuracies[1]) < 0.005


def test_a_step_is_that_of_openTSNE(digits, stages):
    # from the same place, with the momentum and gains of the steps before; openTSNE's gradient is an approximation too
    moved = []
    for optimizer in (Descent(), gradient_descent()):
        optimizer.update, optimizer.gains = 0.1 * np.sin(stages[400]), 1 + 0.5 * np.cos(stages[400])
        embedding = TSNEEmbedding(
            stages[400], digits[0], optimizer=optimizer, negative_gradient_method="bh", theta=0.1, random_state=0
        )
        embedding.optimize(1, inplace=True, learning_rate=N / 12, exaggeration=12, max_step_norm=0.2)
        moved.append((np.array(embedding) - stages[400], optimizer.gains, optimizer.update))
    for own, theirs in zip(*moved, strict=True):
        assert np.median(abs(own - theirs)) < 1e-3 * np.median(abs(theirs))
        assert (abs(own - theirs) < 0.05 * abs(theirs).max()).mean() > 0.99
    assert np.linalg.norm(moved[0][2], axis=1).max() == pytest.approx(0.2)


def test_map_is_the_same_with_any_number_of_threads_and_again(digits, fitted):
    for threads in (1, 2, 3):
        assert np.array_equal(fit(digits, threads)[0], fitted[0]), threads


def test_threads_end_with_the_fit(digits, fitted):
    before = threading.active_count()
    fit(digits, threads=3)
    assert threading.active_count() == before


def test_waiting_costs_no_time_of_the_processor():
    def work(first, last):
        if threading.current_thread() is not threading.main_thread():
            threading.Event().wait(0.5)

    with BlockPool(2) as crew:
        before = os.times()
        while (after := os.times()).elapsed - before.elapsed < 0.4:
            crew.share(100, work)  # once the other has come to begin, it is waited for
    assert after.user + after.system - before.user - before.system < 0.3


def test_callback_can_end_it_and_sees_the_map(digits):
    seen = []

    def callback(iteration, divergence, embedding):
        seen.append((iteration, divergence, np.array(embedding)))
        return iteration == 20

    embedding = TSNEEmbedding(digits[1], digits[0], optimizer=Descent(), negative_gradient_method="bh", random_state=0)
    settings = {"learning_rate": N / 12, "callbacks": callback, "callbacks_every_iters": 10}
    embedding.optimize(50, inplace=True, exaggeration=12, **settings)
    assert [iteration for iteration, _, _ in seen] == [10, 20]
    assert np.array_equal(embedding, seen[1][2]) and embedding.kl_divergence == seen[1][1]
    for _, divergence, points in seen:
        assert divergence == pytest.approx(kl_divergence(points, digits[0].P), abs=1e-3)


@pytest.mark.parametrize("case", ["one dimension", "dof", "max_grad_norm"])
def test_anything_else_is_left_to_openTSNE(case):
    p = csr_matrix((np.ones(60) / 60, (np.arange(60), np.roll(np.arange(60), 1))), shape=(60, 60))
    neighbors = SimpleNamespace(P=((p + p.T) / 2).tocsr())
    start = np.random.default_rng(0).normal(size=(60, 1 if case == "one dimension" else 2))
    settings = {"dof": 0.8} if case == "dof" else {"max_grad_norm": 0.001} if case == "max_grad_norm" else {}
    maps = []
    for optimizer in (Descent(), gradient_descent()):
        embedding = TSNEEmbedding(start, neighbors, optimizer=optimizer, negative_gradient_method="bh", random_state=0)
        maps.append(np.array(embedding.optimize(20, learning_rate=10.0, **settings)))
    assert np.array_equal(*maps) and not np.array_equal(maps[0], start)


def test_compiles_where_nothing_can_be_written(tmp_path):
    folder = tmp_path / "common"
    folder.mkdir()
    for name in ("compiled.py", "jobs.py", "tsne_descent.py"):
        shutil.copy2(ROOT / "scripts/common" / name, folder)
    (folder / "__pycache__").touch()  # files in the place of the two folders, which not even root can write to
    code = (
        "import sys, numpy; sys.path.insert(0, '.')\n"
        "from common.tsne.descent.optimizer import *\n"
        "with BlockPool(1) as crew: print(repulsion(numpy.zeros((2, 5), numpy.float32), crew)[1])"
    )
    environment = {"PATH": os.environ["PATH"], "HOME": str(folder / "__pycache__")}
    result = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert result.stdout == "20.0\n", result.stderr
