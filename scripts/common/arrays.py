"""Arrays from disk, checked as they are read."""

import errno
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from common.jobs import UserError

LONGEST = 1e14  # a vector whose distances are taken: the squares of 10^10 such are still summed in single precision


def anew(*paths: str | Path) -> str:
    """What to do about damaged files."""
    return f"make anew: snakemake --cores all --force {' '.join(map(str, paths))}"


@contextmanager
def damage_named(path: str | Path) -> Iterator[None]:
    """Raise UserError, which says what to do, if the block cannot read the file at `path`; MemoryError as it is."""
    try:
        yield
    except MemoryError:
        raise
    except Exception as error:  # a damaged file can make its reader fail in any way
        if isinstance(error, OSError) and error.errno == errno.ENOMEM:
            raise MemoryError(f"{error.strerror}: {path}") from error
        raise UserError(f"{path} is damaged ({f'{error}'.strip():.200}); {anew(path)}") from error


def load(path: str | Path) -> np.ndarray:
    """The array of numbers of a .npy file, mapped into memory rather than read; it may have no rows.

    Raises UserError if it is damaged.
    """
    with damage_named(path):
        array = np.lib.format.open_memmap(path, "r")
        if array.dtype.kind not in "biuf" or not array.ndim:
            raise ValueError(f"it holds {array.dtype} of shape {array.shape}")
        if array.offset + array.nbytes != Path(path).stat().st_size:
            raise ValueError(f"its size is not that of {array.dtype} of shape {array.shape}")
        return array


def load_rows(*paths: str | Path) -> tuple[np.ndarray, ...]:
    """As `load`, of files that have a row each for the same things; raises UserError if their numbers differ."""
    arrays = tuple(load(path) for path in paths)
    for path, array in zip(paths, arrays, strict=True):
        if len(array) != len(arrays[0]):
            raise UserError(f"{paths[0]} has {len(arrays[0])} rows, {path} has {len(array)}; {anew(paths[0], path)}")
    return arrays


def measurable(vectors: np.ndarray) -> np.ndarray:
    """Which of the vectors (n, d) float32 are finite and no longer than LONGEST, (n,) bool."""
    with np.errstate(over="ignore", invalid="ignore"):
        return np.einsum("ij,ij->i", vectors, vectors) <= LONGEST**2


def load_json(path: str | Path) -> dict:
    """What is in a JSON file; raises UserError if it is damaged."""
    with damage_named(path):
        return json.loads(Path(path).read_text())


def load_classes(path: str | Path) -> list[str]:
    """The names of the classes by number, from a data set's classes.json; none if it has no labels.

    Raises UserError if it is damaged.
    """
    classes = load_json(path)
    with damage_named(path):
        if not isinstance(classes, list) or not all(isinstance(name, str) for name in classes):
            raise ValueError("it is no list of names")
    return classes


def load_npz(path: str | Path) -> dict[str, np.ndarray]:
    """The arrays of a .npz file by name; raises UserError if it is damaged."""
    with damage_named(path), np.load(path, allow_pickle=False) as stored:
        return dict(stored)


def load_neighbors(path: str | Path, rows: str | Path) -> dict[str, np.ndarray]:
    """The neighbors in a .npz file, as find_neighbors writes it, of each row of the array at `rows`.

    Raises UserError if it is damaged, or their numbers differ.
    """
    neighbors, count = load_npz(path), len(load(rows))
    with damage_named(path):
        numbers = [len(neighbors[name]) for name in ("indices", "distances")]
    if numbers != [count, count]:
        raise UserError(f"{rows} has {count} rows, {path} neighbors of {max(numbers)}; {anew(rows, path)}")
    return neighbors
