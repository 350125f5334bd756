"""Linear CKA and the overlap of neighbors, against their definitions."""

import numpy as np
import pytest
from scipy.spatial.distance import cdist

from common.scoring import similarity
from common.scoring.overlap import neighbor_overlap
from common.scoring.similarity import compare_features

pytestmark = pytest.mark.filterwarnings("error")


def cka(first, second):
    """Return the linear CKA by its definition (Kornblith et al. 2019, equation 4)."""
    first, second = (rows.astype(float) - rows.mean(axis=0, dtype=float) for rows in (first, second))
    cross, one, other = first.T @ second, first.T @ first, second.T @ second
    return (cross**2).sum() / np.linalg.norm(one) / np.linalg.norm(other)


@pytest.fixture(scope="module")
def features():
    """Three layers of the same images, of which the second depends on the first, and the offsets are large."""
    rng = np.random.default_rng(0)
    first = np.maximum(rng.normal(size=(330, 40)), 0)
    second = np.maximum(first @ rng.normal(size=(40, 12)) + 100, 99)
    layers = {"first": first, "second": second, "other": 1e-3 * rng.normal(size=(330, 25))}
    return {name: rows.astype(np.float32) for name, rows in layers.items()}


def compare(features):
    found, reasons = compare_features(features, memory_mb=100, threads=1)
    assert reasons == {}
    return found


@pytest.mark.parametrize("block_rows", [1000, 330, 100, 7])
def test_cka_of_each_pair_is_that_of_its_definition(features, monkeypatch, block_rows):
    monkeypatch.setattr(similarity, "BLOCK_ROWS", block_rows)
    found = compare(features)
    assert list(found) == [("first", "second"), ("first", "other"), ("second", "other")]
    for (first, second), pair in found.items():
        assert pair.cka.shape == (330,)
        assert pair.cka.mean() == pytest.approx(cka(features[first], features[second]), abs=1e-7)
    assert found["first", "second"].cka.mean() > 2 * found["first", "other"].cka.mean()


def test_cka_does_not_depend_on_rotation_and_scale(features):
    rotation = np.linalg.qr(np.random.default_rng(1).normal(size=(40, 40)))[0]
    rotated = (5e4 * features["first"] @ rotation + 3).astype(np.float32)
    pair = compare({"first": features["first"], "rotated": rotated})["first", "rotated"]
    assert pair.cka.mean() == pytest.approx(1, abs=1e-6) and pair.overlap.mean() > 0.99


def test_overlap_is_that_of_the_ten_nearest_neighbors(features):
    neighbors = {}
    for name, rows in features.items():
        distances = cdist(rows.astype(float), rows.astype(float))
        np.fill_diagonal(distances, np.inf)
        neighbors[name] = np.argsort(distances, axis=1)[:, :10]
    for (first, second), pair in compare(features).items():
        expected = [len(set(a) & set(b)) / 10 for a, b in zip(neighbors[first], neighbors[second], strict=True)]
        assert pair.overlap == pytest.approx(np.array(expected))


@pytest.mark.parametrize("block", [1, 2, 10])
def test_overlap_does_not_depend_on_the_order(block):
    neighbors, others = np.array([[1, 2, 3], [4, 5, 6], [7, 8, 9]]), np.array([[3, 1, 2], [7, 8, 9], [9, 0, 1]])
    assert neighbor_overlap(neighbors, others, block) == pytest.approx([1, 0, 1 / 3])


def test_mean_over_a_resample_is_the_cka_of_the_resample():
    rng = np.random.default_rng(0)
    first = rng.normal(size=(3000, 4)).astype(np.float32)
    second = (first[:, :3] + rng.normal(size=(3000, 3))).astype(np.float32)
    outcomes, drawn = compare({"a": first, "b": second})["a", "b"].cka, rng.integers(0, 3000, (50, 3000))
    exact = np.array([cka(first[rows], second[rows]) for rows in drawn])
    by_outcomes = outcomes[drawn].mean(axis=1)
    assert np.corrcoef(exact, by_outcomes)[0, 1] > 0.98
    assert by_outcomes.std() == pytest.approx(exact.std(), rel=0.1)


def test_features_that_cannot_be_compared_have_a_reason(features):
    odd = {"constant": np.full((330, 7), 0.1, np.float32), "zero": np.zeros((330, 1), np.float32)}
    found, reasons = compare_features(features | odd, memory_mb=100, threads=1)
    assert reasons == dict.fromkeys(odd, "All images have the same features.")
    assert list(found) == list(compare(features))


@pytest.mark.parametrize("count", [0, 1, 10])
def test_few_images_are_not_compared(features, count):
    found, reasons = compare_features({name: rows[:count] for name, rows in features.items()}, 100, 1)
    assert found == {} and reasons == dict.fromkeys(features, "There are no more than 10 images.")


def test_one_layer_has_no_pairs(features):
    assert compare_features({"first": features["first"]}, 100, 1) == ({}, {})


def test_unusual_sizes_are_compared(features):
    """31 images, of 100,000 dimensions and of one; and copies of a few images."""
    rng = np.random.default_rng(0)
    rows = {
        "wide": rng.normal(size=(31, 100_000)),
        "line": rng.normal(size=(31, 1)),
        "copies": np.eye(3)[np.arange(31) % 3],
    }
    rows = {name: values.astype(np.float32) for name, values in rows.items()}
    for (first, second), pair in compare(rows).items():
        gram = [rows[name].astype(float) - rows[name].mean(axis=0, dtype=float) for name in (first, second)]
        gram = [values @ values.T for values in gram]
        expected = (gram[0] * gram[1]).sum() / np.linalg.norm(gram[0]) / np.linalg.norm(gram[1])
        assert pair.cka.mean() == pytest.approx(expected, abs=1e-6)
        assert ((pair.overlap >= 0) & (pair.overlap <= 1)).all()
