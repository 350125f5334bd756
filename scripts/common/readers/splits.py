"""Rows for the splits, drawn in proportion to the classes."""

import logging
from collections.abc import Sequence

import numpy as np

from common.errors import UserError
from common.text import count_noun, join_some

log = logging.getLogger("workflow")

HELD_OUT = 1 / 6  # of the training images, as in MNIST: 10,000 of 60,000


def draw_sample(labels: np.ndarray, size: int, names: Sequence[str]) -> np.ndarray:
    """Return `size` row numbers, ascending, drawn in proportion to the classes in `labels` (n,) int64.

    The rows of classes that have a single one are always drawn; the log has the `names` of these classes. Raises
    UserError if `size` is too small, or too near to n, for a stratified sample.
    """
    if size >= len(labels):
        return np.arange(len(labels))
    _, classes, counts = np.unique(labels, return_inverse=True, return_counts=True)
    is_single = counts[classes] == 1
    single, rows = np.flatnonzero(is_single), np.flatnonzero(~is_single)
    drawn = np.count_nonzero(counts > 1)
    lowest, highest = len(counts), len(labels) - drawn
    if not lowest <= size <= highest:
        raise UserError(
            f"sample: {size} of {len(labels)} rows cannot be drawn in proportion to {len(counts)} classes. "
            f"Set it to {lowest} to {highest}, or remove it to use all rows."
        )
    if len(single):
        log.info(
            "sample: %s with a single row %s kept: %s",
            count_noun(len(single), "class", "classes"),
            "is" if len(single) == 1 else "are",
            join_some([names[number] for number in np.sort(labels[single])]),
        )
    from sklearn.model_selection import train_test_split  # takes seconds, which few jobs need

    chosen, _ = train_test_split(rows, train_size=size - len(single), stratify=labels[rows], random_state=0)
    return np.sort(np.concatenate([single, chosen]))


def hold_out(labels: np.ndarray, share: float) -> tuple[np.ndarray, np.ndarray]:
    """Return the row numbers to keep and those to hold out, ascending: this share of each class in `labels` (n,).

    The number of rows of a class is rounded: of a sixth, a class of up to three rows has none held out.
    """
    generator = np.random.default_rng(0)
    held = [
        generator.permutation(np.flatnonzero(labels == value))[: round(share * np.count_nonzero(labels == value))]
        for value in np.unique(labels)
    ]
    held = np.sort(np.concatenate(held))
    return np.setdiff1d(np.arange(len(labels)), held), held
