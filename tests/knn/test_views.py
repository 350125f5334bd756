"""Views of feature matrices, which index as the matrix that they stand for."""

import numpy as np
import pytest

from common.knn import index, views
from common.knn.index import build_search, search_exactly
from common.knn.views import StackedRows, UnitRows

SIZES = [(12,), (4, 3, 5), (4, 0, 8), (0, 12, 0), (0, 0, 12)]  # of stacked matrices
ROWS = [slice(None), slice(0, 4), slice(2, 9), slice(4, 7), slice(7, 7), slice(11, 20), slice(20, 30), slice(-3, None)]
COLUMNS = [None, slice(None), slice(1, 3), slice(2, None), slice(0, 0)]
NUMBERS = [[0], [11, 0, 6, 6, 3], list(range(12)), []]


def matrices(*sizes, d=4, seed=0):
    generator = np.random.default_rng(seed)
    return [generator.normal(size=(n, d)).astype(np.float32) for n in sizes]


def keys(rows):
    """Return the rows as keys, with all columns and with some."""
    return [rows if columns is None else (rows, columns) for columns in COLUMNS]


@pytest.fixture
def unit():
    """A view of 12 rows, one of which is zero, and the matrix of the divided rows."""
    (matrix,) = matrices(12)
    matrix[3] = 0
    norms = np.linalg.norm(matrix, axis=1, keepdims=True)
    return UnitRows(matrix), np.divide(matrix, norms, where=norms > 0, out=np.zeros_like(matrix))


@pytest.fixture(params=[*SIZES, "unit"], ids=str)
def view(request):
    """A view of 12 rows, in one or several matrices or divided by their norms, and what it stands for."""
    if request.param == "unit":
        return request.getfixturevalue("unit")
    parts = matrices(*request.param)
    return StackedRows(parts), np.concatenate(parts)


def test_view_has_the_shape_of_the_matrix(view):
    found, matrix = view
    assert found.shape == matrix.shape == (12, 4) and len(found) == 12
    assert all(type(length) is int for length in found.shape)


@pytest.mark.parametrize("rows", ROWS, ids=str)
def test_slices_are_those_of_the_matrix(view, rows):
    found, matrix = view
    for key in keys(rows):
        assert found[key].dtype == np.float32 and found[key].shape == matrix[key].shape
        assert np.allclose(found[key], matrix[key], atol=1e-6)


@pytest.mark.parametrize("gather_mb", [10, 2 * 4 * 4 / 1e6], ids=["at once", "two at once"])
@pytest.mark.parametrize("numbers", NUMBERS, ids=str)
def test_rows_by_number_are_those_of_the_matrix_in_any_order(view, numbers, gather_mb, monkeypatch):
    monkeypatch.setattr(views, "GATHER_MB", gather_mb)
    found, matrix = view
    for key in keys(np.array(numbers, int)):
        assert found[key].dtype == np.float32 and found[key].shape == matrix[key].shape
        assert np.allclose(found[key], matrix[key], atol=1e-6)


def test_stacked_matrices_without_any_rows_have_their_columns():
    empty = StackedRows(matrices(0, 0))
    assert empty.shape == (0, 4) and len(empty) == 0
    assert empty[:].shape == (0, 4) and empty[0:5, 1:3].shape == (0, 2) and empty[np.array([], int)].shape == (0, 4)


def test_slice_of_one_matrix_is_not_copied():
    parts = matrices(4, 3, 5)
    assert np.shares_memory(StackedRows(parts)[5:7], parts[1])
    assert np.shares_memory(StackedRows(parts[:1])[:], parts[0])


def test_divided_rows_have_norm_1_but_for_zeros_which_stay(unit):
    norms = np.linalg.norm(unit[0][:], axis=1)
    assert np.allclose(np.delete(norms, 3), 1, atol=1e-6) and (unit[0][3:4] == 0).all()


def test_norms_are_measured_in_blocks(monkeypatch):
    (matrix,) = matrices(12)
    expected = UnitRows(matrix)[:]
    monkeypatch.setattr(views, "BLOCK_MB", 5 * 4 * 4 / 1e6)  # five rows
    assert np.array_equal(UnitRows(matrix)[:], expected)


def test_matrix_of_no_rows_can_be_divided():
    empty = UnitRows(matrices(0)[0])
    assert empty.shape == (0, 4) and empty[:].shape == (0, 4)


def test_euclidean_distances_of_divided_rows_rank_as_cosine_distances_do(unit):
    rows = np.delete(unit[0].matrix, 3, axis=0)
    cosines = rows @ rows.T / np.outer(np.linalg.norm(rows, axis=1), np.linalg.norm(rows, axis=1))
    indices, distances = search_exactly(UnitRows(rows), UnitRows(rows), 11, memory_mb=100, threads=1)
    assert np.array_equal(indices, np.argsort(-cosines, axis=1))
    assert np.allclose(distances**2, 2 - 2 * np.take_along_axis(cosines, indices, axis=1), atol=1e-4)


@pytest.mark.parametrize("method", ["exact", "projected"])
@pytest.mark.parametrize("kind", [StackedRows, UnitRows])
def test_search_in_a_view_is_that_in_the_plain_matrix(kind, method, monkeypatch):
    monkeypatch.setattr(index, "EXACT_ROWS", 3000 if method == "projected" else 10_000)
    matrix = (np.random.default_rng(4).normal(size=(3001, 150)) * np.geomspace(10, 0.1, 150)).astype(np.float32)
    view = kind(np.split(matrix, [1500, 1500, 2800])) if kind is StackedRows else kind(matrix)
    results = []
    for features in (view, view[:]):
        search, facts = build_search(features, 15, seed=0, memory_mb=1, threads=2)
        assert facts["method"] == method
        results.append([*search(features[:300], 15), *search(features, 15), facts["recall"]])
    for in_view, in_matrix in zip(*results, strict=True):
        assert np.array_equal(in_view, in_matrix)
