"""Rows drawn so that every class keeps its share."""

import numpy as np
from sklearn.model_selection import train_test_split

from common.jobs import UserError

HELD_OUT = 1 / 6  # as MNIST has it: 10,000 of its 60,000 training images


def stratified_rows(labels: np.ndarray, size: int) -> np.ndarray:
    """`size` row numbers, ascending, drawn so that every class keeps its share of `labels` (n,).

    Raises UserError if `size` is too small, or too near to n, for that.
    """
    if size >= len(labels):
        return np.arange(len(labels))
    values, counts = np.unique(labels, return_counts=True)
    classes = len(values)
    if not classes <= size <= len(labels) - classes:
        raise UserError(
            f"sample: {size} of {len(labels)} rows cannot be drawn evenly from {classes} classes: "
            f"give {classes} to {len(labels) - classes}, or leave it out, for all"
        )
    if 1 in counts:
        raise UserError(
            f"sample: class number {values[counts.argmin()]} has a single row of the {len(labels)}, "
            "which cannot be drawn evenly: leave it out, for all"
        )
    rows, _ = train_test_split(np.arange(len(labels)), train_size=size, stratify=labels, random_state=0)
    return np.sort(rows)


def held_out(labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The row numbers to keep and those to hold out, ascending: HELD_OUT of each class of `labels` (n,), rounded.

    Of a class of up to three rows none is held out.
    """
    generator = np.random.default_rng(0)
    held = [
        generator.permutation(np.flatnonzero(labels == value))[: round(HELD_OUT * np.count_nonzero(labels == value))]
        for value in np.unique(labels)
    ]
    held = np.sort(np.concatenate(held))
    return np.setdiff1d(np.arange(len(labels)), held), held
