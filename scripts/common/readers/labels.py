"""Labels from arrays, and the numbering of classes."""

import logging
import math
import re
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal

import numpy as np

from common.errors import UserError, format_shape
from common.readers.streams import Stream
from common.text import count_noun, join_some

log = logging.getLogger("workflow")

MAX_CLASSES = 1000
MAX_LABELS = 2**31
MAX_NUMBER = 2**53  # up to which double precision has each integer
INTEGER = "0|-?[1-9][0-9]{0,17}"
DECIMAL = r"[+-]?[0-9]{1,17}\.[0-9]*(e[+-]?[0-9]{1,2})?|nan"  # as pandas and numpy.savetxt write numbers
NUMBER = f"{INTEGER}|{DECIMAL}"
MISSING = ("nan", "none", "null", "<na>", "nat")  # what missing values become as text
MAX_LISTED = 20  # classes whose counts are listed on the terminal


def as_labels(stream: Stream, count: int, row: str = "row") -> np.ndarray:
    """Return labels, (count,) int64 or strings, from an array of whole numbers or strings; `row` is a noun."""
    shape = stream.shape
    if math.prod(shape) > MAX_LABELS or len(shape) > 2 or (len(shape) == 2 and shape[1] != 1):
        remedy = "If they are one-hot, give labels.argmax(axis=1)" if len(shape) == 2 else "Give an array of one axis"
        raise UserError(f"{stream.name} has the shape {format_shape(shape)}, not one label for each {row}. {remedy}.")
    blocks = list(stream.blocks())
    labels = np.concatenate(blocks).reshape(-1) if blocks else np.zeros(0, np.int64)
    check_count(stream.name, len(labels), "label", count, row)
    if labels.dtype.kind == "S":
        try:
            labels = np.char.decode(labels, "utf-8")
        except UnicodeDecodeError as error:
            raise UserError(f"{stream.name} holds bytes that are not UTF-8. Give strings.") from error
    if labels.dtype.kind == "U":
        return interpret_words(labels, stream.name, lambda row: f"{stream.name}, index {row}")
    if labels.dtype.kind not in "biuf":
        raise UserError(f"{stream.name} holds {labels.dtype}. Labels must be whole numbers or strings.")
    with np.errstate(invalid="ignore"):
        wrong = np.flatnonzero(~((np.abs(labels) <= MAX_NUMBER) & (labels == np.floor(labels))))  # also where NaN
    if len(wrong):
        raise UserError(
            f"{stream.name} has labels that are not whole numbers, the first at index {wrong[0]}: "
            f"{labels[wrong[0]]}. Give class numbers or names."
        )
    return labels.astype(np.int64)


def check_count(name: str, found: int, noun: str, count: int, row: str) -> None:
    """Raise UserError unless as many labels were found, called by a `noun`, as there are rows, called `row`."""
    if found != count:
        extra = found - count
        remedy = f"Remove the {count_noun(extra, f'extra {noun}')}"
        if extra < 0:
            remedy = f"Add the {count_noun(-extra, f'missing {noun}')}"
        raise UserError(f"{name} has {count_noun(found, noun)} for {count_noun(count, row)}. {remedy}.")


def interpret_words(words: np.ndarray, name: str, place: Callable[[int], str]) -> np.ndarray:
    """Return labels (n,) of text without surrounding blanks, and numbers such as 3.0 as 3 if all labels are numbers.

    `place` says where a label is. Raises UserError for an empty label, and for a fraction if all labels are numbers.
    """
    words = np.char.strip(words)
    values, first, inverse = np.unique(words, return_index=True, return_inverse=True)
    if "" in values:
        raise UserError(f"{place(first[0])} is empty. Give each row a label.")
    are_numbers = all(re.fullmatch(NUMBER, value, re.I) for value in values)
    if not are_numbers or not any(re.fullmatch(DECIMAL, value, re.I) for value in values):
        return words
    numbers = [Decimal(str(value)) for value in values]
    wrong = [row for number, row in zip(numbers, first, strict=True) if not is_exact_integer(number)]
    if wrong:
        value = words[min(wrong)]
        raise UserError(
            f"{place(min(wrong))}: {value} is not a whole number. Give class numbers, or names with a letter, such as "
            f"c{value}."
        )
    log.debug("%s: numbers with a decimal point are read as integers", name)
    return np.array([int(number) for number in numbers]).astype(str)[inverse]


def is_exact_integer(number: Decimal) -> bool:
    """Return whether a number is an integer that double precision has."""
    return not number.is_nan() and abs(number) <= MAX_NUMBER and number == int(number)


def number_labels(
    labels: Mapping[str, np.ndarray], names: Sequence[str] | None
) -> tuple[dict[str, np.ndarray], list[str]]:
    """Return labels by split as class numbers, int64, and the class names.

    The names are the sorted values of the labels, or the `names` given. These belong to the numbers from 0; if there
    is no 0, and there are as many names as values, to the values in ascending order. Values that are all integers, as
    names of folders can be, are sorted by value. Raises UserError if there are more than MAX_CLASSES, or if `names` are
    given and the labels are not their numbers. The log has the number of rows of each class.
    """
    words = np.unique(np.concatenate([values.astype(str) for values in labels.values()]))
    if all(re.fullmatch(INTEGER, word) for word in words):
        labels = {split: values.astype(np.int64) for split, values in labels.items()}
    kinds = {values.dtype.kind for values in labels.values()}
    if len(kinds) > 1:
        raise UserError("The labels of one split are numbers, those of another are names. Give both in the same form.")
    values = np.unique(np.concatenate(list(labels.values())))
    if names is None:
        if len(values) > MAX_CLASSES:
            raise UserError(f"The labels have {len(values)} values, more than {MAX_CLASSES}. Give class labels.")
        names = [str(value) for value in values]
    elif kinds == {"i"} and len(values) == len(names) and 0 not in values:
        pairs = [f"{value} is {name}" for value, name in zip(values, names, strict=True)]
        log.info("classes has as many names as there are labels, in their order: %s", join_some(pairs))
    else:
        check_numbers(labels, names)
        values = np.arange(len(names))
    numbered = {split: np.searchsorted(values, part).astype(np.int64) for split, part in labels.items()}
    log_classes(numbered, names)
    return numbered, list(names)


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


def log_classes(labels: Mapping[str, np.ndarray], names: Sequence[str]) -> None:
    """Log the number of rows of each class; on the terminal, too, the classes that may be a mistake.

    `labels` (n,) int64 are class numbers, by split.
    """
    counts = {split: np.bincount(numbers, minlength=len(names)) for split, numbers in labels.items()}
    total = sum(counts.values())
    single = [names[number] for number in np.flatnonzero(total == 1)]
    level = logging.INFO if single and len(names) <= MAX_LISTED else logging.DEBUG
    for split, by_class in counts.items():
        listed = ", ".join(f"{name} {count:,}" for name, count in zip(names, by_class, strict=True))
        log.log(level, "rows of each class, %s: %s", split, listed)
    empty = [names[number] for number in np.flatnonzero(total == 0)]
    missing = [name for name in names if name.lower() in MISSING]
    for found, problem in (
        (single, "with a single row"),
        (empty, "without rows"),
        (missing, "named like a missing value"),
    ):
        if found:
            log.info("%s %s: %s", count_noun(len(found), "class", "classes"), problem, join_some(found))
