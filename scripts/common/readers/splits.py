"""Rows for the splits, drawn in proportion to the classes."""

import numpy as np
from sklearn.model_selection import train_test_split

from common.errors import UserError

HELD_OUT = 1 / 6  # of the training images, as in MNIST: 10,000 of 60,000


def draw_sample(labels: np.ndarray, size: int) -> np.ndarray:
    """Return `size` row numbers, ascending, drawn in proportion to the classes in `labels` (n,).

    Raises UserError if `size` is too small, or too near to n, for a stratified sample.
    """
    if size >= len(labels):
        return np.arange(len(labels))
    values, counts = np.unique(labels, return_counts=True)
    classes = len(values)
    if not classes <= size <= len(labels) - classes:
        raise UserError(
            f"sample: {size} of {len(labels)} rows cannot be drawn in proportion to {classes} classes. "
            f"Set it to {classes} to {len(labels) - classes}, or remove it to use all rows."
        )
    if 1 in counts:
        raise UserError(
            f"sample: class number {values[counts.argmin()]} has one row of {len(labels)}, so no sample can be drawn "
            "in proportion. Remove sample to use all rows."
        )
    rows, _ = train_test_split(np.arange(len(labels)), train_size=size, stratify=labels, random_state=0)
    return np.sort(rows)


def hold_out(labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the row numbers to keep and those to hold out, ascending: HELD_OUT of each class in `labels` (n,).

    The share is rounded, so a class of up to three rows has none held out.
    """
    generator = np.random.default_rng(0)
    held = [
        generator.permutation(np.flatnonzero(labels == value))[: round(HELD_OUT * np.count_nonzero(labels == value))]
        for value in np.unique(labels)
    ]
    held = np.sort(np.concatenate(held))
    return np.setdiff1d(np.arange(len(labels)), held), held
