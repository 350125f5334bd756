"""The names of a data set's rows: the files of its images, or the names that its vectors have."""

import csv
from collections.abc import Sequence

from common.errors import UserError, rebuild_hint, report_corrupt_file
from common.files import atomic_write

COLUMNS = ("file", "name")  # of images, and of vectors


def save_names(path: str, column: str, names: Sequence[str]) -> None:
    """Write the names of a split's rows as a .csv file of one column, atomically; without names, its header."""
    with atomic_write(path) as part, open(part, "w", newline="", encoding="utf-8") as file:
        csv.writer(file, lineterminator="\n").writerows([[column], *([name] for name in names)])


def load_names(paths: Sequence[str], counts: Sequence[int]) -> tuple[str, list[list[str]]] | None:
    """Return the column and the names of the rows of each split, from the files of save_names; None without names.

    `counts` are the numbers of rows of the splits. Raises UserError if a file is damaged or has another number.
    """
    tables = []
    for path in paths:
        with report_corrupt_file(path), open(path, newline="", encoding="utf-8") as file:
            rows = list(csv.reader(file, strict=True))
            if not rows or any(len(row) != 1 for row in rows) or rows[0][0] not in COLUMNS:
                raise ValueError(f"it is no table of one column, {' or '.join(COLUMNS)}")
            tables.append(rows)
    names = [[name for (name,) in rows[1:]] for rows in tables]
    if not any(names):
        return None
    for path, found, count in zip(paths, names, counts, strict=True):
        if len(found) != count:
            raise UserError(f"{path} has {len(found)} names for {count} rows. {rebuild_hint(path)}")
    return tables[0][0][0], names
