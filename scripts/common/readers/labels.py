"""Labels from arrays and text files, and the numbering of classes."""

import csv
import math
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from common.errors import UserError, format_shape, report_unreadable_file
from common.readers.streams import Stream, stream_npy

MAX_CLASSES = 1000
MAX_LABELS = 2**31


def as_labels(stream: Stream, count: int) -> np.ndarray:
    """Return labels, (count,) int64 or strings, from an array of whole numbers or strings."""
    shape = stream.shape
    if math.prod(shape) > MAX_LABELS or len(shape) > 2 or (len(shape) == 2 and shape[1] != 1):
        remedy = "Give the argmax of one-hot labels" if len(shape) == 2 else "Give an array of one axis"
        raise UserError(f"{stream.name} has the shape {format_shape(shape)}, not one label a row. {remedy}.")
    blocks = list(stream.blocks())
    labels = np.concatenate(blocks).reshape(-1) if blocks else np.zeros(0, np.int64)
    check_count(stream.name, len(labels), count)
    if labels.dtype.kind == "S":
        labels = np.char.decode(labels, "utf-8", "replace")
    if labels.dtype.kind == "U":
        return np.char.strip(labels)
    if labels.dtype.kind == "f" and not np.array_equal(labels, np.floor(labels)):  # they differ where one is NaN
        raise UserError(f"{stream.name} has labels that are not whole numbers. Give class numbers or names.")
    if labels.dtype.kind not in "biuf":
        raise UserError(f"{stream.name} holds {labels.dtype}. Labels must be whole numbers or strings.")
    return labels.astype(np.int64)


def check_count(name: str, labels: int, count: int) -> None:
    """Raise UserError unless there is one label for each of `count` rows."""
    if labels != count:
        difference = abs(labels - count)
        remedy = "Remove the extra ones" if labels > count else "Add the missing ones"
        raise UserError(f"{name} has {labels} labels for {count} rows. {remedy} ({difference}).")


def read_text_labels(path: str, count: int) -> np.ndarray:
    """Return labels from a text file, one a line, or from a .csv file of one column; a header line is left out."""
    with report_unreadable_file(path), open(path, newline="", encoding="utf-8") as file:
        if Path(path).suffix == ".csv":
            lines = list(csv.reader(file))
            if any(len(line) > 1 for line in lines):
                raise UserError(f"{path} has several columns. Give a file with the labels only.")
            words = [line[0].strip() if line else "" for line in lines]
        else:
            words = [line.strip() for line in file.read().splitlines()]
    if len(words) == count + 1:
        words = words[1:]  # without the header
    check_count(path, len(words), count)
    return np.array(words)


def read_labels(path: str, count: int) -> np.ndarray:
    """Return labels (count,), int64 or strings, from a .npy file or a text file; those of text are strings."""
    return as_labels(stream_npy(path), count) if Path(path).suffix == ".npy" else read_text_labels(path, count)


def number_labels(
    labels: Mapping[str, np.ndarray], names: Sequence[str] | None
) -> tuple[dict[str, np.ndarray], list[str]]:
    """Return labels by split as class numbers, int64, and the class names.

    The names are the sorted values of the labels, or the `names` given. Names that are all integers, as those of
    folders can be, are sorted by value. Raises UserError if there are more than MAX_CLASSES, or if `names` are given
    and the labels are not their numbers.
    """
    words = np.unique(np.concatenate([values.astype(str) for values in labels.values()]))
    if all(re.fullmatch("0|-?[1-9][0-9]{0,17}", word) for word in words):
        labels = {split: values.astype(np.int64) for split, values in labels.items()}
    kinds = {values.dtype.kind for values in labels.values()}
    if len(kinds) > 1:
        raise UserError("The labels of one split are numbers, those of another are names. Give both in the same form.")
    if names is not None:
        check_numbers(labels, names)
        return dict(labels), list(names)
    values = np.unique(np.concatenate(list(labels.values())))
    if len(values) > MAX_CLASSES:
        raise UserError(f"The labels have {len(values)} values, more than {MAX_CLASSES}. Give class labels.")
    numbered = {split: np.searchsorted(values, part).astype(np.int64) for split, part in labels.items()}
    return numbered, [str(value) for value in values]


def check_numbers(labels: Mapping[str, np.ndarray], names: Sequence[str]) -> None:
    """Raise UserError unless the labels of each split number the `names`."""
    for split, values in labels.items():
        if values.dtype.kind != "i":
            raise UserError(f"classes gives {len(names)} names, but the labels are names already. Remove classes.")
        wrong = np.count_nonzero((values < 0) | (values >= len(names)))
        if wrong:
            raise UserError(
                f"classes gives {len(names)} names, but {wrong} of the {split} labels are not from 0 to "
                f"{len(names) - 1}. Give a name for each class."
            )
