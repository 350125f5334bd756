"""Arrays from disk, checked as they are read."""

import zipfile
from pathlib import Path

import numpy as np

from common.jobs import UserError


def anew(*paths: str | Path) -> str:
    """What to do about damaged files."""
    return f"make anew: snakemake --cores all --force {' '.join(map(str, paths))}"


def load(path: str | Path) -> np.ndarray:
    """The array of a .npy file, mapped into memory rather than read; raises UserError if the file is damaged."""
    try:
        return np.lib.format.open_memmap(path, "r")
    except (OSError, ValueError, EOFError) as error:
        raise UserError(f"{path} is damaged ({error}); {anew(path)}") from error


def load_rows(*paths: str | Path) -> tuple[np.ndarray, ...]:
    """As `load`, of files that have a row each for the same things; raises UserError if their numbers differ."""
    arrays = tuple(load(path) for path in paths)
    for path, array in zip(paths, arrays, strict=True):
        if len(array) != len(arrays[0]):
            raise UserError(f"{paths[0]} has {len(arrays[0])} rows, {path} has {len(array)}; {anew(paths[0], path)}")
    return arrays


def load_npz(path: str | Path) -> dict[str, np.ndarray]:
    """The arrays of a .npz file by name; raises UserError if it is damaged."""
    try:
        with np.load(path, allow_pickle=False) as stored:
            return dict(stored)
    except (OSError, ValueError, EOFError, TypeError, zipfile.BadZipFile) as error:
        raise UserError(f"{path} is damaged ({error}); {anew(path)}") from error
