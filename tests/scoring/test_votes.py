"""The vote of the nearest neighbors."""

import numpy as np
import pytest

from common.scoring.votes import vote, vote_by_count


def test_most_frequent_label_wins():
    assert vote(np.array([[5, 2, 2], [1, 1, 7]])).tolist() == [2, 1]


@pytest.mark.parametrize(
    ("labels", "winner"),
    [
        ([3, 1], 3),
        ([1, 3], 1),
        ([9, 4, 4, 0, 9], 9),
        ([7, 4, 9, 9, 4], 4),
        ([2, 1, 1, 0, 0], 1),
    ],
)
def test_nearest_voter_decides_a_tie(labels, winner):
    """Neither the smallest label, nor the one that reaches the count first, nor a nearest label with fewer votes."""
    assert vote(np.array([labels])).tolist() == [winner]


@pytest.mark.parametrize("n_classes", [2, 3, 10, 200])
def test_vote_of_each_count_equals_a_vote_by_brute_force(most_common, n_classes):
    labels = np.random.default_rng(n_classes).integers(n_classes, size=(300, 50))
    counts = [1, 2, 3, 5, 10, 30, 50]
    votes = vote_by_count(labels, counts)
    assert votes.shape == (len(counts), len(labels))
    for count, winners in zip(counts, votes, strict=True):
        np.testing.assert_array_equal(winners, most_common(labels[:, :count]))


def test_vote_of_one_is_the_nearest_label():
    labels = np.array([[4, 2, 2], [0, 1, 1]])
    assert vote_by_count(labels, [1])[0].tolist() == [4, 0]


def test_vote_leaves_the_labels_as_they_are():
    labels = np.array([[4, 2, 2]], np.uint8)
    assert vote(labels).dtype == np.uint8 and labels.tolist() == [[4, 2, 2]]


def test_without_rows_nobody_votes():
    assert vote_by_count(np.zeros((0, 5), int), [1, 5]).shape == (2, 0)
