"""Predictions of a network from files: labels, or a probability for each class."""

import logging
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np

from common.errors import UserError, report_unreadable_file
from common.readers.label_files import read_labels, read_text
from common.readers.labels import check_count
from common.readers.streams import Stream, is_npy, stream_array, stream_npy
from common.text import join_some

log = logging.getLogger("workflow")

TOLERANCE = 0.01  # of the sum of probabilities, which may be rounded


def read_predictions(
    path: str, count: int, values: Sequence[str], column: str | None = None
) -> tuple[np.ndarray, np.ndarray | None]:
    """Return the predicted class numbers (count,) int64 and their probabilities (count,) float64, None if unknown.

    The file, .npy or text, has a label, or the probabilities of all classes, in each row; with the name of a `column`,
    it is a table with labels. `values` has the label of each class. Raises UserError if the file has another number of
    rows, labels that are no class, or values that are no probabilities.
    """
    table = None if column is not None else read_table(path, count)
    if table is not None and len(table.shape) == 2 and table.shape[1] > 1:
        check_count(path, table.shape[0], "prediction", count, "vector")
        log.info("%s: probabilities of %d classes, in the order of their labels", path, table.shape[1])
        return find_most_probable(table, values)
    return number_predictions(path, read_labels(path, count, "vector", column), values), None


def read_table(path: str, count: int) -> Stream | None:
    """Return the array in a .npy file, or the numbers in a text file, (n, columns); None if the text has others.

    In text, numbers are separated by commas, tabs or blanks. Of `count` + 1 lines, the first is a header, and is left
    out.
    """
    with report_unreadable_file(path), open(path, "rb") as file:
        if is_npy(file) or Path(path).suffix == ".npy":
            return stream_npy(path)
        lines = [line.replace(",", " ") for line in read_text(path).rstrip().splitlines()]
    try:
        table = np.loadtxt(lines[len(lines) == count + 1 :], comments=None, ndmin=2)
    except ValueError:
        return None
    return stream_array(path, table)


def find_most_probable(table: Stream, classes: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
    """Return the most probable class of each row, (n,) int64, and its probability, (n,), from probabilities."""
    if table.shape[1] != len(classes):
        raise UserError(
            f"{table.name} has {table.shape[1]} columns, but the labels have {len(classes)} classes. "
            "Give a column for each class, or name all classes by the key classes."
        )
    found = [(block.argmax(axis=1), block.max(axis=1)) for block in check_probabilities(table)]
    predictions, probabilities = (np.concatenate(parts) for parts in zip(*found, strict=True))
    return predictions.astype(np.int64), probabilities.astype(np.float64)


def check_probabilities(table: Stream) -> Iterator[np.ndarray]:
    """Yield the blocks of probabilities; at the end, raises UserError with the number of rows that are none."""
    wrong = 0
    for block in table.blocks():
        if block.dtype.kind not in "buif":
            raise UserError(f"{table.name} holds {block.dtype}. Probabilities must be numbers.")
        sums = block.sum(axis=1, dtype=np.float64)
        valid = (block >= 0).all(axis=1) & (np.abs(sums - 1) <= TOLERANCE)  # False for NaN
        wrong += np.count_nonzero(~valid)
        yield block
    if wrong:
        raise UserError(
            f"{wrong} of the {table.shape[0]} rows of {table.name} are not probabilities, which are 0 to 1 and sum to "
            "1. Give the softmax of the network's output, or its argmax."
        )


def number_predictions(name: str, labels: np.ndarray, values: Sequence[str]) -> np.ndarray:
    """Return predicted labels (n,) as class numbers (n,) int64, by the label of each class; `name` is their file's."""
    numbers = {value: number for number, value in enumerate(values)}
    found = np.array([numbers.get(label, -1) for label in labels.astype(str)], np.int64)
    wrong = list(dict.fromkeys(labels[found < 0].astype(str)))
    if wrong:
        raise UserError(
            f"{name}: {np.count_nonzero(found < 0)} of the {len(labels)} predictions are no class of the labels "
            f"({join_some(wrong, 5)}). Give them in the form of the labels, or name all classes by the key classes."
        )
    return found


def find_values(
    labels: Mapping[str, np.ndarray], numbered: Mapping[str, np.ndarray], names: Sequence[str], are_numbered: bool
) -> list[str]:
    """Return the label of each class as text, from labels (n,) and their class numbers (n,) by split.

    A class without rows has its number if the classes `are_numbered`, which have names of their own, else its name.
    """
    values = [str(number) for number in range(len(names))] if are_numbered else list(names)
    for split, words in labels.items():
        for number, first in zip(*np.unique(numbered[split], return_index=True), strict=True):
            values[number] = str(words[first])
    return values


def check_forms(predictions: Mapping[str, tuple[np.ndarray, np.ndarray | None]]) -> None:
    """Raise UserError unless all splits have labels, or all have probabilities, as read_predictions returns them."""
    if len({probabilities is None for _, probabilities in predictions.values()}) > 1:
        raise UserError(
            "The predictions of one split are labels, those of another are probabilities. Give all in the same form."
        )
