"""Tables from disk, and the words for what stands in them."""

from pathlib import Path

import pandas as pd

from common.arrays import anew, damage_named
from common.jobs import UserError

SCORES = {  # of layers.csv, in its order
    "features_accuracy": "labels right, features",
    "map_accuracy": "labels right, map",
    "kept_10": "10 neighbors kept",
    "kept_30": "30 neighbors kept",
    "trustworthiness": "trustworthiness",
    "continuity": "continuity",
    "features_silhouette": "silhouette, features",
    "map_silhouette": "silhouette, map",
    "distance_correlation": "rank correlation of distances",
    "kl_divergence": "KL divergence",
    "network_accuracy": "network's own accuracy",
}


def load_table(path: str | Path, *columns: str) -> pd.DataFrame:
    """The table in a .csv file; raises UserError if it is damaged, or has not these columns."""
    with damage_named(path):
        table = pd.read_csv(path)
        missing = set(columns) - set(table.columns)
        if missing:
            raise ValueError(f"it has no column {', '.join(sorted(missing))}")
    return table


def load_predictions(path: str | Path, **counts: int) -> dict[str, pd.DataFrame]:
    """What predict_labels has written, by split, of the splits of which the number of images is given.

    Columns: split, id, label, prediction, confidence, the last two empty if the network does not predict the classes.
    Raises UserError if it is damaged, or the numbers differ.
    """
    table = load_table(path, "split", "label", "prediction", "confidence")
    found = {split: table[table.split == split] for split in counts}
    for split, count in counts.items():
        if len(found[split]) != count:
            raise UserError(f"{path} has {len(found[split])} {split} images, not {count}; {anew(path)}")
    return found
