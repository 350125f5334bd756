"""Outputs of the workflow that a later rule reads: what is accepted, and what is refused as damaged."""

import json
import re

import numpy as np
import pytest

from common.errors import UserError
from common.inputs import (
    MAX_NORM,
    has_finite_distances,
    load_array,
    load_classes,
    load_json,
    load_neighbors,
    load_npz,
    load_rows,
)


def damaged(path, reason: str = "") -> str:
    """Return the pattern of the error that names a damaged file."""
    return rf"{re.escape(str(path))} is damaged \(.*{reason}.*\)\. Rebuild: snakemake --cores all --force {path}$"


@pytest.mark.parametrize("shape", [(0, 5), (0, 8, 8, 1), (0,), (3, 5), (3,)])
@pytest.mark.parametrize("dtype", [np.float32, np.int64, np.uint8, bool])
def test_array_is_read_with_or_without_rows(tmp_path, shape, dtype):
    array = np.ones(shape, dtype)
    np.save(tmp_path / "a.npy", array)
    rows = load_array(tmp_path / "a.npy")
    assert np.array_equal(rows, array) and rows.dtype == dtype and isinstance(rows, np.memmap)
    with pytest.raises(ValueError, match="read-only"):
        rows[:] = 0


@pytest.mark.parametrize(
    ("array", "reason"),
    [
        (np.float32(1), r"it holds float32 of shape \(\)"),
        (np.array(["a"]), r"it holds <U1 of shape \(1,\)"),
        (np.zeros(3, complex), "it holds complex128"),
    ],
)
def test_array_of_another_kind_is_damaged(tmp_path, array, reason):
    path = tmp_path / "a.npy"
    np.save(path, array)
    with pytest.raises(UserError, match=damaged(path, reason)):
        load_array(path)


def test_array_of_another_size_than_its_header_says_is_damaged(tmp_path):
    path = tmp_path / "a.npy"
    np.save(path, np.zeros((5, 3), np.float32))
    path.write_bytes(path.read_bytes() + b"\0")
    with pytest.raises(UserError, match=damaged(path, r"its size is not that of float32 of shape \(5, 3\)")):
        load_array(path)
    path.write_bytes(path.read_bytes()[:-2])
    with pytest.raises(UserError, match=damaged(path)):
        load_array(path)


def test_arrays_with_a_row_for_each_image_have_one_length(tmp_path):
    paths = [tmp_path / f"{name}.npy" for name in "abc"]
    for path, length in zip(paths, (5, 4, 3), strict=True):
        np.save(path, np.full((length, 2), length))
    first, second = load_rows(paths[0], paths[0])
    assert first.shape == second.shape == (5, 2)
    with pytest.raises(UserError) as raised:
        load_rows(*paths)
    assert f"{raised.value}" == (
        f"{paths[0]} has 5 rows, {paths[1]} has 4. Rebuild: snakemake --cores all --force {paths[0]} {paths[1]}"
    )


def test_vectors_are_finite_and_not_so_long_that_their_distances_overflow():
    vectors = np.zeros((8, 3), np.float32)
    vectors[1:, 1] = [np.nan, np.inf, -np.inf, 1.01 * MAX_NORM, 0.99 * MAX_NORM, -1.01 * MAX_NORM, 3e38]
    vectors[0] = 0.56 * MAX_NORM  # its norm is 0.97 of the limit
    assert has_finite_distances(vectors).tolist() == [True, False, False, False, False, True, False, False]
    longest = np.full((2, 10_000), 0.99 * MAX_NORM / 100, np.float32)
    longest[1] *= -1
    assert has_finite_distances(longest).all() and np.isfinite(((longest[0] - longest[1]) ** 2).sum())


@pytest.mark.parametrize("value", [{"perplexity": 30.5, "name": "été"}, {}])
def test_json_is_read(tmp_path, value):
    (tmp_path / "a.json").write_text(json.dumps(value, ensure_ascii=False), encoding="utf-8")
    assert load_json(tmp_path / "a.json") == value


@pytest.mark.parametrize("content", [b"", b"{", b"\xff", b"NaN1"])
def test_damaged_json_is_named(tmp_path, content):
    path = tmp_path / "a.json"
    path.write_bytes(content)
    with pytest.raises(UserError, match=damaged(path)):
        load_json(path)


@pytest.mark.parametrize("names", [[], ["0", "1"], ["T-shirt, <b>&", "été", "nan"]])
def test_class_names_are_read(tmp_path, names):
    (tmp_path / "classes.json").write_text(json.dumps(names))
    assert load_classes(tmp_path / "classes.json") == names


@pytest.mark.parametrize("content", ["{}", '["a", 1]', '"ab"', "null"])
def test_class_names_that_are_not_a_list_of_names_are_damaged(tmp_path, content):
    path = tmp_path / "classes.json"
    path.write_text(content)
    with pytest.raises(UserError, match=damaged(path, "it is not a list of names")):
        load_classes(path)
    path.write_text("[nu")
    with pytest.raises(UserError, match=damaged(path, "JSONDecodeError")):
        load_classes(path)


def test_arrays_of_a_npz_file_are_read_by_name(tmp_path):
    np.savez(tmp_path / "a.npz", indices=np.arange(3), method=np.array("exact"))
    arrays = load_npz(tmp_path / "a.npz")
    assert arrays.keys() == {"indices", "method"} and arrays["method"] == "exact"
    assert np.array_equal(arrays["indices"], np.arange(3))


def test_npz_file_with_objects_is_damaged_and_runs_nothing(tmp_path):
    np.savez(tmp_path / "a.npz", x=np.array([print]))
    with pytest.raises(UserError, match=damaged(tmp_path / "a.npz", "allow_pickle")):
        load_npz(tmp_path / "a.npz")


@pytest.fixture
def neighbors(tmp_path):
    """A function that writes neighbors with so many rows of indices and distances, for an array of five rows."""
    np.save(tmp_path / "rows.npy", np.zeros((5, 2)))

    def write(indices: int, distances: int):
        arrays = {"indices": np.zeros((indices, 3), np.int32), "distances": np.zeros((distances, 3), np.float32)}
        np.savez(tmp_path / "a.npz", **arrays, method="exact")
        return tmp_path / "a.npz", tmp_path / "rows.npy"

    return write


def test_neighbors_are_read(neighbors):
    found = load_neighbors(*neighbors(5, 5))
    assert found["indices"].shape == found["distances"].shape == (5, 3) and found["method"] == "exact"


@pytest.mark.parametrize("lengths", [(4, 4), (4, 5), (5, 4), (6, 5)])
def test_neighbors_of_another_number_of_rows_are_refused(neighbors, lengths):
    path, rows = neighbors(*lengths)
    with pytest.raises(UserError) as raised:
        load_neighbors(path, rows)
    assert f"{raised.value}".startswith(f"{rows} has 5 rows, {path} has {max(lengths)}. Rebuild: snakemake")
    assert f"{raised.value}".endswith(f"--force {rows} {path}")


def test_neighbors_without_distances_are_damaged(neighbors):
    path, rows = neighbors(5, 5)
    np.savez(path, indices=np.zeros((5, 3)))
    with pytest.raises(UserError, match=damaged(path, "distances")):
        load_neighbors(path, rows)
