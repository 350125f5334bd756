"""The names of vectors, or texts about them, one a row."""

import csv
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from common.errors import UserError, format_shape, report_unreadable_file
from common.readers.streams import stream_npy


def read_ids(path: str, count: int, noun: str = "names") -> np.ndarray:
    """Return the names of `count` rows, (count,) strings, from a .npy file, or a text file with one name a line.

    Empty lines at the end of a text file are left out. Raises UserError, in which the names are called by a `noun`, if
    the file has another number of them.
    """
    if Path(path).suffix == ".npy":
        stream = stream_npy(path)
        if len(stream.shape) != 1:
            raise UserError(f"{path} has the shape {format_shape(stream.shape)}. Give an array of one axis.")
        with report_unreadable_file(path):
            names = np.concatenate([np.zeros(0, "U1"), *(block.astype(str) for block in stream.blocks())])
    else:
        with report_unreadable_file(path):
            text = Path(path).read_text(encoding="utf-8-sig").rstrip("\n")
        lines = text.split("\n") if text else []
        names = np.array(parse_csv(path, lines, noun) if Path(path).suffix == ".csv" else lines, str)
    if len(names) != count:
        difference = f"Remove the extra ones, such as a header ({len(names) - count})"
        if len(names) < count:
            difference = f"Add the missing ones ({count - len(names)})"
        raise UserError(f"{path} has {len(names)} {noun} for {count} rows. {difference}.")
    return names


def parse_csv(path: str, lines: Sequence[str], noun: str) -> list[str]:
    """Return the values of the only column of a .csv file; raises UserError if it has several columns."""
    rows = list(csv.reader(lines))
    if any(len(row) > 1 for row in rows):
        raise UserError(f"{path} has several columns. Give a file with the {noun} only.")
    return ["".join(row) for row in rows]
