"""Write a table of the coordinates of all images in all embeddings, with their labels and predictions."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from common.files import atomic_write
from common.inputs import load_array, load_classes, load_rows
from common.logs import run_logged
from common.tables import load_predictions

SPLITS = ("train", "test")


def tabulate_maps(
    labels: Mapping[str, np.ndarray],
    coordinates: Mapping[str, Mapping[str, np.ndarray]],
    predictions: Mapping[str, pd.DataFrame] | None,
    classes: Sequence[str],
) -> pd.DataFrame:
    """Return a table with one row an image, the training images first.

    `labels` (n,) are by split, `coordinates` (n, 2) by split and layer, `predictions` by split as load_predictions
    returns them; labels and predictions are numbers of `classes`. Columns: id (the row number in the split), split,
    label (a class name), prediction (a class name), confidence, and {layer}_x and {layer}_y for each layer. Without
    classes there is no label, without predictions neither prediction nor confidence.
    """
    names = np.array(classes)
    tables = []
    for split in SPLITS:
        columns = {"id": np.arange(len(labels[split])), "split": split}
        if classes:
            columns["label"] = names[labels[split]]
        if predictions is not None:
            columns["prediction"] = names[predictions[split].prediction.to_numpy(int)]
            columns["confidence"] = predictions[split].confidence.to_numpy()
        for layer, points in coordinates[split].items():
            columns |= {f"{layer}_{axis}": points[:, column] for column, axis in enumerate("xy")}
        tables.append(pd.DataFrame(columns))
    return pd.concat(tables, ignore_index=True)


if __name__ == "__main__":
    with run_logged(snakemake.log[0], "tabulate_maps"):
        paths = dict(zip(SPLITS, snakemake.input.labels, strict=True))
        maps = dict(zip(SPLITS, (snakemake.input.maps[::2], snakemake.input.maps[1::2]), strict=True))
        labels = {split: load_array(path) for split, path in paths.items()}
        coordinates = {
            split: {
                layer: load_rows(path, paths[split])[0]
                for layer, path in zip(snakemake.params.layers, maps[split], strict=True)
            }
            for split in SPLITS
        }
        counts = {split: len(rows) for split, rows in labels.items()}
        predictions = load_predictions(*snakemake.input.predictions, **counts) if snakemake.input.predictions else None
        if predictions is not None and predictions["train"].prediction.isna().any():
            predictions = None  # the network predicts other classes
        with atomic_write(snakemake.output.table) as part:
            tabulate_maps(labels, coordinates, predictions, load_classes(snakemake.input.classes)).to_csv(
                part, index=False, float_format="%.6g"
            )
