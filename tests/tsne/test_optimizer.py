"""The optimizer against openTSNE's own, with exact gradients on both sides."""

from types import SimpleNamespace

import numpy as np
import pytest
from openTSNE import TSNEEmbedding
from openTSNE.tsne import OptimizationInterrupt, PartialTSNEEmbedding, gradient_descent
from scipy.sparse import csr_matrix

from common.tsne.descent import Descent
from common.tsne.objective import kl_divergence

EXACT = {"negative_gradient_method": "bh", "theta": 0}  # openTSNE then sums over all pairs


@pytest.fixture(scope="module")
def start():
    return 3 * np.random.default_rng(0).normal(size=(400, 2))


def moved(optimizer, start, affinities, n_iter=1, **settings):
    """Return the embedding after some steps from the start."""
    embedding = TSNEEmbedding(start, affinities, optimizer=optimizer, random_state=0, **EXACT)
    return embedding.optimize(n_iter, inplace=True, **{"learning_rate": 30.0} | settings)


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"exaggeration": 12},
        {"momentum": 0.3},
        {"min_gain": 0.5},
        {"max_step_norm": 0.02},
        {"max_step_norm": None, "learning_rate": 300.0},
        {"learning_rate": 3000.0},
    ],
    ids=str,
)
def test_step_is_that_of_opentsne(affinities, start, settings):
    steps = []
    for optimizer in (Descent(), gradient_descent()):
        optimizer.update, optimizer.gains = 0.1 * np.sin(start), 1 + 0.5 * np.cos(start)  # of steps before
        embedding = moved(optimizer, start, affinities, **settings)
        steps.append((np.array(embedding) - start, optimizer.gains, optimizer.update))
    for ours, theirs in zip(*steps, strict=True):
        assert np.allclose(ours, theirs, rtol=1e-3, atol=1e-4 * abs(theirs).max())


def test_many_steps_are_those_of_opentsne(affinities, start):
    ours, theirs = (moved(optimizer, start, affinities, 25) for optimizer in (Descent(), gradient_descent()))
    assert np.ptp(ours - start) > 1 and np.allclose(ours, theirs, atol=0.01)
    assert ours.kl_divergence == pytest.approx(kl_divergence(ours, affinities.P), abs=1e-5)
    assert np.allclose(ours.mean(axis=0), 0, atol=1e-5)


def test_steps_can_be_interrupted_and_continued(affinities, start):
    at_once = moved(Descent(), start, affinities, 20)
    embedding = moved(Descent(), start, affinities, 8)
    embedding.optimize(12, inplace=True, learning_rate=30.0)
    assert np.allclose(embedding, at_once, atol=1e-3)


def test_start_off_the_origin_is_centered(affinities, start):
    assert np.allclose(
        moved(Descent(), start + np.array([5, 7]), affinities), moved(Descent(), start, affinities), atol=1e-4
    )


def test_affinities_may_change_between_two_calls(affinities, start):
    changed, optimizer = SimpleNamespace(P=affinities.P.power(2)), Descent()
    changed.P /= changed.P.sum()
    moved(optimizer, start, affinities)
    optimizer.update = optimizer.gains = None
    assert np.array_equal(moved(optimizer, start, changed), moved(Descent(), start, changed))


def test_callback_sees_the_embedding_and_its_divergence_and_can_stop(affinities, start):
    seen = []

    def callback(iteration, divergence, embedding):
        seen.append((iteration, divergence, np.array(embedding)))
        return iteration == 20

    embedding = moved(Descent(), start, affinities, 50, exaggeration=12, callbacks=callback, callbacks_every_iters=10)
    assert [iteration for iteration, _, _ in seen] == [10, 20]
    assert np.array_equal(embedding, seen[1][2]) and embedding.kl_divergence == seen[1][1]
    for iteration, divergence, points in seen:
        assert divergence == pytest.approx(kl_divergence(points, affinities.P), abs=1e-5)
        assert np.allclose(points, moved(Descent(), start, affinities, iteration - 1, exaggeration=12), atol=1e-3)
    with pytest.raises(OptimizationInterrupt):
        moved(
            Descent(),
            start,
            affinities,
            50,
            callbacks=lambda *_: True,
            callbacks_every_iters=1,
            propagate_exception=True,
        )


def test_callbacks_come_every_fifty_iterations_unless_told_otherwise(affinities, start):
    seen = []
    moved(Descent(), start, affinities, 120, callbacks=[lambda iteration, *_: seen.append(iteration)])
    assert seen == [50, 100]


def test_callback_is_told_before_the_first_step(affinities, start):
    told = []

    class Callback:
        def optimization_about_to_start(self):
            told.append("start")

        def __call__(self, *_):
            told.append("step")

    moved(Descent(), start, affinities, 2, callbacks=[Callback()], callbacks_every_iters=1)
    assert told == ["start", "step", "step"]


def test_divergence_of_the_optimization_is_an_error(affinities, start):
    with pytest.raises(FloatingPointError):
        moved(Descent(), start, affinities, 20, learning_rate=1e300, max_step_norm=None)


@pytest.mark.parametrize("case", ["one dimension", "dof", "max_grad_norm"])
def test_settings_that_are_not_supported_are_left_to_opentsne(case):
    ring = csr_matrix((np.ones(60) / 60, (np.arange(60), np.roll(np.arange(60), 1))), shape=(60, 60))
    affinities = SimpleNamespace(P=((ring + ring.T) / 2).tocsr())
    start = np.random.default_rng(0).normal(size=(60, 1 if case == "one dimension" else 2))
    settings = {"dof": 0.8} if case == "dof" else {"max_grad_norm": 0.001} if case == "max_grad_norm" else {}
    ours, theirs = (
        moved(optimizer, start, affinities, 20, **settings) for optimizer in (Descent(), gradient_descent())
    )
    assert np.array_equal(ours, theirs) and not np.array_equal(ours, start)


def test_points_beside_a_reference_are_left_to_opentsne(affinities, start):
    reference = TSNEEmbedding(start, affinities, random_state=0, **EXACT)
    results = []
    for optimizer in (Descent(), gradient_descent()):
        new = PartialTSNEEmbedding(start[:50] + 0.1, reference, affinities.P[:50] * 8, optimizer=optimizer, **EXACT)
        new.optimize(5, inplace=True, learning_rate=1.0)
        results.append(np.array(new))
    assert np.array_equal(*results) and not np.array_equal(results[0], start[:50] + 0.1)
