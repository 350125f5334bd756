"""The linear probe against scikit-learn's RidgeClassifier, and the choice of its strength."""

import logging

import numpy as np
import pytest
from sklearn.datasets import load_digits
from sklearn.linear_model import RidgeClassifier

from common.scoring import linear_probe
from common.scoring.linear_probe import STRENGTHS, fit_linear_probe

pytestmark = pytest.mark.filterwarnings("error")


@pytest.fixture(scope="module")
def digits():
    digits = load_digits()
    return digits.data.astype(np.float32), digits.target


def fit(features, labels, n_classes=10):
    probe, reason = fit_linear_probe(features, labels, n_classes, features.mean(axis=0))
    assert reason is None
    return probe


def sklearn_scores(probe, features, labels, queries):
    fitted = RidgeClassifier(alpha=probe.strength, solver="cholesky").fit(features.astype(float), labels)
    return fitted.decision_function(queries.astype(float))


def scores(probe, queries):
    return (queries - probe.origin) @ probe.weights.T + probe.intercepts


@pytest.mark.parametrize("count", [1000, 60])  # more rows than dimensions, and fewer
@pytest.mark.parametrize("block_mb", [100, 0.01])
def test_probe_is_the_ridge_classifier(digits, monkeypatch, count, block_mb):
    monkeypatch.setattr(linear_probe, "BLOCK_MB", block_mb)
    features, labels = digits
    probe = fit(features[:count], labels[:count])
    expected = sklearn_scores(probe, features[:count], labels[:count], features[1000:])
    assert np.abs(scores(probe, features[1000:]) - expected).max() < 1e-4
    assert np.array_equal(probe.predict(features[1000:]), expected.argmax(axis=1))
    assert probe.n_rows == count and probe.weights.dtype == np.float32


def test_probe_of_two_classes_is_the_ridge_classifier(digits):
    features, labels = digits
    odd = labels % 2
    probe = fit(features[:1000], odd[:1000], 2)
    expected = sklearn_scores(probe, features[:1000], odd[:1000], features[1000:])
    assert np.abs(np.diff(scores(probe, features[1000:])) / 2 - expected[:, None]).max() < 1e-4


def test_distant_origin_of_the_features_costs_no_accuracy(digits):
    features, labels = digits
    moved = features + np.float32(1000)
    probe, near = fit(moved[:1000], labels[:1000]), fit(features[:1000], labels[:1000])
    assert probe.strength == pytest.approx(near.strength)
    assert np.array_equal(probe.predict(moved[1000:]), near.predict(features[1000:]))


def accuracies(caplog, fit_probe):
    """Return the strengths that are tried, with their accuracies, and the probe."""
    caplog.clear()
    with caplog.at_level(logging.INFO, "workflow"):
        probe = fit_probe()
    return [record.args for record in caplog.records], probe


def test_strength_has_the_best_accuracy_on_each_tenth_row(caplog, digits):
    features, labels = digits[0][:400], digits[1][:400].copy()
    labels[::4] = np.random.default_rng(0).integers(0, 10, 100)  # so that the strength matters
    tried, probe = accuracies(caplog, lambda: fit(features, labels))
    held_out = np.arange(400) % 10 == 9
    scale = features.astype(float).var(axis=0).sum() * 400 / 64
    assert [strength / scale for strength, _ in tried] == pytest.approx(STRENGTHS[: len(tried)])
    for strength, accuracy in tried:
        expected = RidgeClassifier(alpha=strength).fit(features[~held_out].astype(float), labels[~held_out])
        assert accuracy == pytest.approx(expected.score(features[held_out], labels[held_out]))
    best = max(accuracy for _, accuracy in tried)
    assert len({accuracy for _, accuracy in tried}) > 2
    assert probe.strength == max(strength for strength, accuracy in tried if accuracy == best)


def test_strengths_ascend_until_the_accuracy_is_clearly_lower(caplog):
    """Small features tell the classes, large ones do not, so a strong penalty is harmful."""
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 2, 2000)
    features = np.hstack([100 * rng.normal(size=(2000, 5)), labels[:, None] + 0.1 * rng.normal(size=(2000, 1))])
    tried, probe = accuracies(caplog, lambda: fit(features.astype(np.float32), labels, 2))
    found = np.array([accuracy for _, accuracy in tried])
    assert len(tried) < len(STRENGTHS) and found[-1] < 0.95 and (found[:-1] > 0.95).all()
    assert probe.strength < tried[-1][0]


def test_equal_dimensions_and_unused_ones_do_no_harm(digits):
    features, labels = digits
    features = np.hstack([features, features, np.zeros_like(features)])
    probe = fit(features[:1000], labels[:1000])
    expected = sklearn_scores(probe, features[:1000], labels[:1000], features[1000:])
    assert np.abs(scores(probe, features[1000:]) - expected).max() < 1e-4
    assert np.abs(probe.weights[:, :64] - probe.weights[:, 64:128]).max() < 1e-4


def test_of_very_large_features_so_many_evenly_spaced_rows_are_used(digits, monkeypatch):
    monkeypatch.setattr(linear_probe, "MAX_SIDE", 50)
    features, labels = digits
    probe = fit(features[:1000], labels[:1000])
    rows = np.linspace(0, 999, 50).astype(int)
    expected = sklearn_scores(probe, features[rows], labels[rows], features[1000:])
    assert probe.n_rows == 50 and np.abs(scores(probe, features[1000:]) - expected).max() < 1e-4


def test_fewer_than_ten_images_have_no_probe():
    features = np.eye(9, dtype=np.float32)
    found = fit_linear_probe(features, np.arange(9) % 2, 2, features.mean(axis=0))
    assert found == (None, "There are fewer than 10 training images.")
