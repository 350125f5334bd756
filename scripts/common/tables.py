"""Tables of the workflow that a later rule reads."""

from pathlib import Path

import pandas as pd

from common.errors import UserError, rebuild_hint, report_corrupt_file


def load_table(path: str | Path, *columns: str) -> pd.DataFrame:
    """Return the table in a .csv file; raises UserError if it is damaged, or lacks one of these columns."""
    with report_corrupt_file(path):
        table = pd.read_csv(path)
        missing = set(columns) - set(table.columns)
        if missing:
            raise ValueError(f"it has no column {', '.join(sorted(missing))}")
    return table


def load_predictions(path: str | Path, **counts: int) -> dict[str, pd.DataFrame]:
    """Return the table of predict_labels by split, for the splits whose number of images is given.

    Columns: split, id, file (of a folder's images), label, prediction, confidence; the last two are empty if the
    network does not predict these classes. Raises UserError if the file is damaged, or has another number of images.
    """
    table = load_table(path, "split", "label", "prediction", "confidence")
    by_split = {split: table[table.split == split] for split in counts}
    for split, count in counts.items():
        if len(by_split[split]) != count:
            raise UserError(f"{path} has {len(by_split[split])} {split} images, not {count}. {rebuild_hint(path)}")
    return by_split
