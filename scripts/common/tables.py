"""Tables of the workflow that a later rule reads."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from common.errors import UserError, rebuild_hint, report_corrupt_file
from common.files import atomic_write


def load_table(path: str | Path, *columns: str) -> pd.DataFrame:
    """Return the table in a .csv file; raises UserError if it is damaged, or lacks one of these columns."""
    with report_corrupt_file(path):
        table = pd.read_csv(path)
        missing = set(columns) - set(table.columns)
        if missing:
            raise ValueError(f"it has no column {', '.join(sorted(missing))}")
    return table


def tabulate_predictions(
    labels: np.ndarray, predictions: np.ndarray | None, confidences: np.ndarray | None
) -> pd.DataFrame:
    """Return a table with a row for each of the `labels` (n,) and `predictions` (n,), numbers of classes.

    Columns: id (the row number), label, prediction and confidence (its probability), both empty if they are unknown.
    """
    return pd.DataFrame(
        {
            "id": np.arange(len(labels)),
            "label": labels,
            "prediction": np.nan if predictions is None else predictions,
            "confidence": np.nan if confidences is None else confidences,
        }
    )


def save_predictions(
    path: str | Path, tables: Mapping[str, pd.DataFrame], names: tuple[str, list[list[str]]] | None
) -> None:
    """Write tables of predictions by split as one .csv file, which load_predictions reads, atomically.

    `names` are those of the rows, as common.row_names.load_names returns them; a split without a table has none.
    """
    table = pd.concat(tables, names=["split"]).reset_index("split")
    if names:
        column, by_split = names
        table.insert(2, column, [name for found in by_split for name in found])
    with atomic_write(path) as part:
        table.to_csv(part, index=False, float_format="%.5g")


def load_predictions(path: str | Path, **counts: int) -> dict[str, pd.DataFrame]:
    """Return the table of save_predictions by split, for the splits whose number of rows is given.

    Columns: split, id, file or name (if there are such names), label, prediction, confidence; the last two are empty if
    they are unknown, as of a network that does not predict these classes. Raises UserError if the file is damaged, or
    has another number of rows.
    """
    table = load_table(path, "split", "label", "prediction", "confidence")
    by_split = {split: table[table.split == split] for split in counts}
    for split, count in counts.items():
        if len(by_split[split]) != count:
            raise UserError(f"{path} has {len(by_split[split])} {split} rows, not {count}. {rebuild_hint(path)}")
    return by_split
