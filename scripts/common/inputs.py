"""Outputs of the workflow that a later rule reads, each checked as it is read."""

import json
from pathlib import Path

import numpy as np

from common.errors import UserError, rebuild_hint, report_corrupt_file

MAX_NORM = 1e14  # of a vector: the squares of 10^10 such values can still be summed in single precision


def load_array(path: str | Path) -> np.ndarray:
    """Return the numeric array in a .npy file, memory-mapped; it may have no rows.

    Raises UserError if the file is damaged.
    """
    with report_corrupt_file(path):
        array = np.lib.format.open_memmap(path, "r")
        if array.dtype.kind not in "biuf" or not array.ndim:
            raise ValueError(f"it holds {array.dtype} of shape {array.shape}")
        if array.offset + array.nbytes != Path(path).stat().st_size:
            raise ValueError(f"its size is not that of {array.dtype} of shape {array.shape}")
        return array


def load_rows(*paths: str | Path) -> tuple[np.ndarray, ...]:
    """Return the arrays of several .npy files that have one row per image; raises UserError if their lengths differ."""
    arrays = tuple(load_array(path) for path in paths)
    for path, array in zip(paths, arrays, strict=True):
        if len(array) != len(arrays[0]):
            raise UserError(
                f"{paths[0]} has {len(arrays[0])} rows, {path} has {len(array)}. {rebuild_hint(paths[0], path)}"
            )
    return arrays


def has_finite_distances(vectors: np.ndarray) -> np.ndarray:
    """Return which of the vectors (n, d) float32 are finite and no longer than MAX_NORM, as (n,) bool."""
    with np.errstate(over="ignore", invalid="ignore"):
        return np.einsum("ij,ij->i", vectors, vectors) <= MAX_NORM**2


def load_json(path: str | Path) -> dict:
    """Return the content of a JSON file; raises UserError if it is damaged."""
    with report_corrupt_file(path):
        return json.loads(Path(path).read_text(encoding="utf-8"))


def load_classes(path: str | Path) -> list[str]:
    """Return the class names in a data set's classes.json, by class number; none if it has no labels.

    Raises UserError if the file is damaged.
    """
    classes = load_json(path)
    with report_corrupt_file(path):
        if not isinstance(classes, list) or not all(isinstance(name, str) for name in classes):
            raise ValueError("it is not a list of names")
    return classes


def load_npz(path: str | Path) -> dict[str, np.ndarray]:
    """Return the arrays in a .npz file, by name; raises UserError if it is damaged."""
    with report_corrupt_file(path), np.load(path, allow_pickle=False) as stored:
        return dict(stored)


def load_neighbors(path: str | Path, *rows: str | Path) -> dict[str, np.ndarray]:
    """Return the neighbors that find_neighbors wrote, for each row of the arrays at `rows`, one after the other.

    Raises UserError if the file is damaged or has another number of rows.
    """
    neighbors, count = load_npz(path), sum(len(load_array(array)) for array in rows)
    with report_corrupt_file(path):
        lengths = [len(neighbors[name]) for name in ("indices", "distances")]
    if lengths != [count, count]:
        have = f"{rows[0]} has" if len(rows) == 1 else f"{', '.join(map(str, rows))} have"
        raise UserError(f"{have} {count} rows, {path} has {max(lengths)}. {rebuild_hint(*rows, path)}")
    return neighbors
