"""Scores of queries: against scikit-learn with all training rows, against brute force with held-out rows."""

import numpy as np
import pytest
from scipy.spatial.distance import cdist
from sklearn.manifold import trustworthiness
from sklearn.metrics import silhouette_samples

from common.scoring import queries as module
from common.scoring.queries import Queries, feature_distances, measure_queries

RANKED = ("trustworthiness", "continuity")
SILHOUETTES = ("silhouette_features", "silhouette_map")
N_TRAIN = 250


def pose(rows, numbers, n_train: int = N_TRAIN, labels: np.ndarray | None = None) -> Queries:
    """Return the rows `numbers` (m,) as queries, of which those before `n_train` are training rows."""
    features, coordinates, truth = rows
    labels = truth if labels is None else labels
    numbers = np.asarray(numbers)
    return Queries(
        features=features[numbers],
        train_features=features[:n_train],
        maps={"map": (coordinates[numbers], coordinates[:n_train])},
        labels=labels[numbers],
        train_labels=labels[:n_train],
        train_rows=np.where(numbers < n_train, numbers, -1),
    )


def measure(*arguments, **options) -> dict[str, np.ndarray]:
    """Return the scores of the only embedding."""
    return measure_queries(pose(*arguments, **options))["map"]


@pytest.fixture(scope="module")
def train(rows):
    """The scores of all training rows as queries."""
    return measure(rows, np.arange(N_TRAIN))


def test_mean_over_all_training_rows_is_the_trustworthiness_of_scikit_learn(rows, train):
    features, coordinates = (part[:N_TRAIN] for part in rows[:2])
    expected = {
        "trustworthiness": trustworthiness(features, coordinates, n_neighbors=10),
        "continuity": trustworthiness(coordinates, features, n_neighbors=10),
    }
    assert {name: train[name].mean() for name in RANKED} == pytest.approx(expected, abs=1e-5)
    assert expected["trustworthiness"] < expected["continuity"] - 0.05, "they are not interchanged"


@pytest.mark.parametrize(("score", "space"), [("silhouette_features", 0), ("silhouette_map", 1)])
def test_silhouettes_of_all_training_rows_are_those_of_scikit_learn(rows, train, score, space):
    expected = silhouette_samples(rows[space][:N_TRAIN], rows[2][:N_TRAIN])
    np.testing.assert_allclose(train[score], expected, atol=1e-5)


def test_scores_of_a_query_do_not_depend_on_the_other_queries(rows, train):
    numbers = [3, 100, 7]
    for name, values in measure(rows, numbers).items():
        np.testing.assert_allclose(values, train[name][numbers], atol=1e-6)


def rank_by_brute_force(near: np.ndarray, distances: np.ndarray) -> float:
    """Return Venna and Kaski's score of one query from distances (n,) of the other rows, with 10 neighbors."""
    n, k = len(near) + 1, 10
    ranks = {row: rank for rank, row in enumerate(distances.argsort().tolist(), 1)}
    penalty = sum(max(ranks[row] - k, 0) for row in near.argsort()[:k].tolist())
    return 1 - 2 / (k * (2 * n - 3 * k - 1)) * penalty


def silhouette_by_brute_force(distances: np.ndarray, labels: np.ndarray, label: int) -> float:
    """Return Rousseeuw's silhouette of one query from its distances (n,) of the other rows."""
    within = distances[labels == label].mean()
    between = min(distances[labels == other].mean() for other in set(labels.tolist()) - {label})
    return (between - within) / max(between, within)


def test_scores_of_held_out_rows_equal_brute_force(rows):
    labels = rows[2]
    held_out = np.arange(N_TRAIN, len(labels))
    values = measure(rows, held_out)
    for at, row in enumerate(held_out):
        spaces = [np.linalg.norm(space[row].astype(float) - space[:N_TRAIN], axis=1) for space in rows[:2]]
        expected = {
            "trustworthiness": rank_by_brute_force(spaces[1], spaces[0]),
            "continuity": rank_by_brute_force(spaces[0], spaces[1]),
            "silhouette_features": silhouette_by_brute_force(spaces[0], labels[:N_TRAIN], labels[row]),
            "silhouette_map": silhouette_by_brute_force(spaces[1], labels[:N_TRAIN], labels[row]),
        }
        assert {name: found[at] for name, found in values.items()} == pytest.approx(expected, abs=1e-5)


def test_held_out_copy_of_a_training_row_is_compared_with_that_row(rows):
    doubled = tuple(np.concatenate([part[:N_TRAIN], part[:5]]) for part in rows)
    copies, originals = (measure(doubled, numbers) for numbers in (np.arange(N_TRAIN, N_TRAIN + 5), np.arange(5)))
    assert (copies["silhouette_map"] > originals["silhouette_map"]).all(), "one more row at distance 0 in its class"


@pytest.mark.parametrize("block_mb", [1e-9, 0.01])
def test_blocks_do_not_change_the_scores(rows, train, monkeypatch, block_mb):
    """Rounding depends on them: two rows that are equally far can change their ranks."""
    blocks = []
    chunks = module.chunks
    monkeypatch.setattr(module, "BLOCK_MB", block_mb)
    monkeypatch.setattr(module, "chunks", lambda *sizes: blocks.append(list(chunks(*sizes))) or blocks[-1])
    for name, values in measure(rows, np.arange(N_TRAIN)).items():
        np.testing.assert_allclose(values, train[name], atol=1e-3)
        assert values.mean() == pytest.approx(train[name].mean(), abs=1e-5)
    assert len(blocks[0]) > 20, "there were many blocks"


def test_each_embedding_has_its_scores(rows, train):
    posed = pose(rows, np.arange(N_TRAIN))
    other = np.random.default_rng(0).random((N_TRAIN, 2))
    posed = Queries(**vars(posed) | {"maps": {"pca": posed.maps["map"], "random": (other, other)}})
    found = measure_queries(posed)
    np.testing.assert_array_equal(found["pca"]["trustworthiness"], train["trustworthiness"])
    expected = trustworthiness(rows[0][:N_TRAIN], other, n_neighbors=10)
    assert found["random"]["trustworthiness"].mean() == pytest.approx(expected)
    np.testing.assert_array_equal(found["random"]["silhouette_features"], train["silhouette_features"])


def test_only_row_of_a_class_has_no_silhouette_as_training_row_but_as_held_out_row(rows):
    labels = rows[2] % 2
    labels[4] = 7
    values = measure(rows, np.arange(N_TRAIN), labels=labels)
    for name in SILHOUETTES:
        assert np.flatnonzero(np.isnan(values[name])).tolist() == [4]
    np.testing.assert_allclose(
        np.delete(values["silhouette_map"], 4),
        np.delete(silhouette_samples(rows[1][:N_TRAIN], labels[:N_TRAIN]), 4),
        atol=1e-5,
    )
    labels[N_TRAIN] = 7
    assert np.isfinite(measure(rows, [N_TRAIN], labels=labels)["silhouette_map"]).all()


def test_held_out_row_of_a_class_without_training_rows_has_no_silhouette(rows):
    labels = rows[2] % 2
    labels[N_TRAIN] = 7
    values = measure(rows, [N_TRAIN, N_TRAIN + 1], labels=labels)
    for name in SILHOUETTES:
        assert np.isnan(values[name]).tolist() == [True, False]
    assert np.isfinite([values[name] for name in RANKED]).all()


def test_with_one_class_there_are_no_silhouettes(rows):
    values = measure(rows, np.arange(N_TRAIN + 5), labels=np.zeros(len(rows[2]), int))
    assert all(np.isnan(values[name]).all() for name in SILHOUETTES)
    assert np.isfinite([values[name] for name in RANKED]).all()


@pytest.mark.parametrize(("n_train", "query", "is_defined"), [(20, 3, 0), (21, 3, 1), (19, 30, 0), (20, 30, 1)])
def test_ranks_need_twenty_training_rows_beside_the_query(rows, n_train, query, is_defined):
    """scikit-learn, too, wants more than twice as many rows as neighbors: else the formula can be negative."""
    values = measure(rows, [query], n_train=n_train)
    assert [np.isfinite(values[name]).all() for name in RANKED] == [is_defined] * 2
    features, coordinates = (part[:n_train] for part in rows[:2])
    if query < n_train and is_defined:
        trustworthiness(features, coordinates, n_neighbors=10)
    elif query < n_train:
        with pytest.raises(ValueError, match="n_neighbors"):
            trustworthiness(features, coordinates, n_neighbors=10)


def test_worst_order_has_rank_scores_of_zero():
    """On a line, the ten nearest in the embedding are the ten that are most distant in the features."""
    line = np.arange(60, dtype=np.float32)[:, None]
    coordinates = np.hstack([60 - line, 0 * line])
    coordinates[0] = 0
    posed = (line, coordinates, np.arange(60) % 2)
    assert measure(posed, [0], n_train=60)["trustworthiness"] == pytest.approx(0)
    assert measure(posed, [0], n_train=60)["continuity"] == pytest.approx(0)


def test_equal_rows_are_perfectly_ranked_and_have_a_silhouette_of_zero():
    equal = (np.full((60, 5), 3, np.float32), np.full((60, 2), 2.0), np.arange(60) % 2)
    for number in (0, 59):
        values = measure(equal, [number], n_train=50)
        assert {name: found[0] for name, found in values.items()} == {
            **dict.fromkeys(RANKED, 1),
            **dict.fromkeys(SILHOUETTES, 0),
        }


def test_distances_are_precise_far_from_the_origin():
    points = np.random.default_rng(0).normal(1e4, 1, (40, 50)).astype(np.float32)
    expected = cdist(points[:15].astype(float), points.astype(float))
    found = feature_distances(points[:15], points)
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=0.02)
    assert found.dtype == np.float32


def test_distances_are_computed_in_blocks_of_rows(rows, monkeypatch):
    monkeypatch.setattr(module, "BLOCK_MB", 1e-9)
    np.testing.assert_allclose(feature_distances(rows[0][:9], rows[0]), cdist(rows[0][:9], rows[0]), atol=0.01)
