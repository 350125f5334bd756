"""The vote of the nearest neighbors on a label."""

from collections.abc import Sequence

import numpy as np


def vote(labels: np.ndarray) -> np.ndarray:
    """Return the most frequent of each row's labels (m, k), as (m,). In a tie, the nearest voter decides.

    The labels are those of the k nearest neighbors, nearest first.
    """
    return vote_by_count(labels, [labels.shape[1]])[0]


def vote_by_count(labels: np.ndarray, counts: Sequence[int]) -> np.ndarray:
    """Return the vote of the first `counts` (c,) of each row's labels (m, k), as (c, m). Counts ascend."""
    votes = np.zeros(labels.shape, np.int16)  # for the label in each column, among the columns so far
    winners, used = [], 0
    for count in counts:
        for column in range(used, count):
            same = labels[:, :column] == labels[:, column, None]
            votes[:, :column] += same
            votes[:, column] = 1 + same.sum(axis=1)
        used = count
        nearest = votes[:, :count].argmax(axis=1)  # the first, so the nearest, of those with most votes
        winners.append(np.take_along_axis(labels, nearest[:, None], axis=1)[:, 0])
    return np.array(winners)
