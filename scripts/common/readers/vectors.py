"""Vectors from arrays, and the files that belong to their rows."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from common.errors import UserError, format_shape
from common.files import atomic_write, save_array
from common.inputs import MAX_NORM, has_finite_distances
from common.names import SPLITS
from common.readers.streams import Stream, stream_npy, write_rows


def stream_vectors(path: str) -> Stream:
    """Return the vectors (n, d) in a .npy file as float32, as `as_features` does."""
    return as_features(stream_npy(path))


def as_features(vectors: Stream) -> Stream:
    """Return vectors (n, d) of real numbers as float32; raises UserError if they have another shape.

    When the blocks are read, raises UserError with the number of vectors that are not finite or too long.
    """
    if len(vectors.shape) != 2 or 0 in vectors.shape:
        raise UserError(f"{vectors.name} has the shape {format_shape(vectors.shape)}. Give (n, d), one vector a row.")

    def blocks() -> Iterator[np.ndarray]:
        wrong = 0
        for block in vectors.blocks():
            if block.dtype.kind not in "buif":
                raise UserError(f"{vectors.name} holds {block.dtype}. Vectors must be real numbers.")
            with np.errstate(over="ignore"):  # values too large for float32 are counted below
                features = block.astype(np.float32)
            wrong += np.count_nonzero(~has_finite_distances(features))
            yield features
        if wrong:
            raise UserError(
                f"{wrong} of the {vectors.shape[0]} rows of {vectors.name} have values that are not finite, or are "
                f"longer than {MAX_NORM:.0e}. Remove them, or divide all rows by one number."
            )

    return replace(vectors, blocks=blocks)


def count_rows(streams: Sequence[Stream]) -> int:
    """Return the number of rows that all arrays have; raises UserError if the numbers differ."""
    first, *others = streams
    for other in others:
        if other.shape[0] != first.shape[0]:
            raise UserError(
                f"{first.name} has {first.shape[0]} rows, {other.name} has {other.shape[0]}. "
                "Give the same rows in all files."
            )
    return first.shape[0]


def check_columns(layers: Sequence[Stream], others: Sequence[Stream], remedy: str) -> None:
    """Raise UserError, which ends with the remedy, unless the vectors of each layer have as many columns in both."""
    for first, other in zip(layers, others, strict=True):
        if other.shape[1] != first.shape[1]:
            raise UserError(f"{first.name} has {first.shape[1]} columns, {other.name} has {other.shape[1]}. {remedy}")


def find_files(paths: Mapping[str, Any], name: str) -> dict[str, Any]:
    """Return the input files `{split}_{name}` of a job by split, for the splits that have them."""
    return {split: paths[f"{split}_{name}"] for split in SPLITS if paths.get(f"{split}_{name}")}


def find_column(columns: Mapping[str, str], split: str, name: str) -> str | None:
    """Return the column of a table that the labels or predictions of a split are in, by keys such as "test.labels"."""
    return columns.get(name if split == "train" else f"{split}.{name}")


def write_splits(streams: Mapping[str, Stream], train_rows: np.ndarray, paths: Sequence[str]) -> None:
    """Write float32 rows as a .npy file for each split: the chosen training rows, ascending, and all held-out rows.

    A split that is not among the `streams` has no rows.
    """
    for split, path in zip(SPLITS, paths, strict=True):
        if split in streams:
            rows = train_rows if split == "train" else np.arange(streams[split].shape[0])
            with atomic_write(path) as part:
                write_rows(streams[split], rows, part)
        else:
            save_array(path, np.zeros((0, *streams["train"].shape[1:]), np.float32))
