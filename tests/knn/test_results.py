"""Operations on the result of a neighbor search."""

import numpy as np

from common.knn.results import drop_self, recall


def test_row_is_dropped_from_its_own_neighbors():
    indices, distances = drop_self(np.array([[5, 0, 6], [7, 8, 1]]), np.array([[0, 1, 2], [3, 4, 5]]), np.arange(2))
    assert indices.tolist() == [[5, 6], [7, 8]] and distances.tolist() == [[0, 2], [3, 4]]


def test_last_neighbor_is_dropped_where_the_row_is_missing():
    indices, distances = drop_self(np.array([[0, 5, 6], [7, 8, 9]]), np.array([[0, 1, 2], [0, 0, 1]]), np.arange(2))
    assert indices.tolist() == [[5, 6], [7, 8]] and distances.tolist() == [[1, 2], [0, 0]]


def test_recall_is_the_share_of_exact_neighbors_in_any_order():
    assert recall(np.array([[1, 2, 3, 4], [5, 6, 7, 8]]), np.array([[4, 3, 2, 1], [5, 6, 0, 9]])) == 0.75
    assert recall(np.array([[1, 2, 3, 4, 5]]), np.array([[1, 9]])) == 0.5
