"""Class means and separation fuzziness, against scikit-learn and the definition."""

import warnings

import numpy as np
import pytest
from sklearn.datasets import load_digits
from sklearn.neighbors import NearestCentroid

from common.scoring import class_means
from common.scoring.class_means import find_class_means, find_nearest_means, measure_fuzziness

pytestmark = pytest.mark.filterwarnings("error")


@pytest.fixture(scope="module")
def digits():
    digits = load_digits()
    return digits.data.astype(np.float32), digits.target


def trace_of_scatter(features, labels):
    """Return trace(Sw pinv(Sb)) by its definition."""
    features, mean = features.astype(float), features.mean(axis=0, dtype=float)
    within, between = np.zeros((2, features.shape[1], features.shape[1]))
    for label in np.unique(labels):
        members = features[labels == label]
        within += len(members) * np.cov(members.T, bias=True)
        between += len(members) * np.outer(members.mean(axis=0) - mean, members.mean(axis=0) - mean)
    return np.trace(within @ np.linalg.pinv(between, rcond=1e-10, hermitian=True))


@pytest.mark.parametrize("block_mb", [100, 0.01])
def test_nearest_means_are_those_of_scikit_learn(digits, monkeypatch, block_mb):
    monkeypatch.setattr(class_means, "BLOCK_MB", block_mb)
    features, labels = digits
    labels = labels * 7 + 5
    means = find_class_means(features[:1000], labels[:1000])
    with warnings.catch_warnings(action="ignore"):  # of features that are constant in a class
        expected = NearestCentroid().fit(features[:1000], labels[:1000])
    assert means.classes.tolist() == [5, 12, 19, 26, 33, 40, 47, 54, 61, 68]
    assert means.counts.tolist() == [(labels[:1000] == label).sum() for label in means.classes]
    assert np.allclose(means.means + means.origin, expected.centroids_, atol=1e-6)
    assert np.array_equal(find_nearest_means(features, means), expected.predict(features))


@pytest.mark.parametrize("shift", [0, 1000])
def test_fuzziness_is_the_trace_of_its_definition(digits, shift):
    features, labels = digits[0] + np.float32(shift), digits[1]
    terms, reason = measure_fuzziness(features, find_class_means(features, labels))
    assert reason is None and terms.shape == (1797,) and (terms >= 0).all()
    assert terms.mean() == pytest.approx(trace_of_scatter(features, labels), rel=1e-4)


def test_term_of_an_image_is_its_deviation_in_units_of_the_spread_of_the_means():
    """The means are at -1 and 1 of the first dimension, where Sb is 1; the other dimension does not separate them."""
    features = np.array([[-4, 5], [2, -5], [1, 7], [1, -7]], np.float32)
    terms, _ = measure_fuzziness(features, find_class_means(features, np.array([0, 0, 1, 1])))
    assert terms == pytest.approx([9, 9, 0, 0])


def test_classes_that_are_points_have_no_fuzziness():
    labels = np.repeat([0, 1, 2], 10)
    features = np.float32([[0.1, 0.7], [0.3, 0.3], [0.9, 0.2]])[labels]
    terms, _ = measure_fuzziness(features, find_class_means(features, labels))
    assert terms == pytest.approx(np.zeros(30), abs=1e-10)


def test_means_on_a_line_have_one_direction():
    """Three classes on a line: the scatter across the line, in which the means do not differ, does not count."""
    rng = np.random.default_rng(0)
    labels = np.repeat([0, 1, 2], 200)
    noise = rng.normal(size=(200, 2))
    noise -= noise.mean(axis=0)
    features = (np.tile(noise, (3, 1)) + labels[:, None] * np.array([2, 0])).astype(np.float32)
    terms, _ = measure_fuzziness(features, find_class_means(features, labels))
    assert terms.mean() == pytest.approx(noise[:, 0].var() / (4 * 2 / 3), rel=1e-3)


@pytest.mark.parametrize(
    ("features", "labels", "reason"),
    [
        (np.eye(40), np.zeros(40), "There are fewer than two classes."),
        (np.eye(40), np.arange(40), "No class has two images."),
        (np.full((40, 5), 0.1), np.arange(40) % 4, "All classes have the same mean."),
        (np.zeros((40, 5)), np.arange(40) % 4, "All classes have the same mean."),
        (
            np.repeat(np.random.default_rng(0).random((20, 5)), 2, axis=0),
            np.arange(40) % 2,
            "All classes have the same mean.",
        ),
    ],
    ids=["one class", "one image each", "constant", "zero", "copies in both classes"],
)
def test_fuzziness_that_is_not_defined_has_a_reason(features, labels, reason):
    features, labels = features.astype(np.float32), labels.astype(int)
    assert measure_fuzziness(features, find_class_means(features, labels)) == (None, reason)
