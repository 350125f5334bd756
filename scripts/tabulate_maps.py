"""Write the places of all images in all maps as a table, with what they show and what the network says."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from common.arrays import load, load_classes, load_rows
from common.files import whole
from common.jobs import job
from common.tables import load_predictions

SPLITS = ("train", "test")


def tabulate_maps(
    labels: Mapping[str, np.ndarray],
    places: Mapping[str, Mapping[str, np.ndarray]],
    predictions: Mapping[str, pd.DataFrame] | None,
    classes: Sequence[str],
) -> pd.DataFrame:
    """A row an image, the training images first, in their arrays' order.

    `labels` (n,) by split, `places` (n, 2) by split and layer, `predictions` by split as load_predictions has them, all
    numbers of `classes`. Columns: id (the row's number in its split), split, label (its class's name, if there are
    classes), prediction, a name as well, and confidence (if there are predictions), and {layer}_x and {layer}_y of each
    layer.
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
        for layer, coordinates in places[split].items():
            columns |= {f"{layer}_{axis}": coordinates[:, at] for at, axis in enumerate("xy")}
        tables.append(pd.DataFrame(columns))
    return pd.concat(tables, ignore_index=True)


if __name__ == "__main__":
    with job(snakemake.log[0], "tabulate_maps"):
        paths = dict(zip(SPLITS, snakemake.input.labels, strict=True))
        maps = dict(zip(SPLITS, (snakemake.input.maps[::2], snakemake.input.maps[1::2]), strict=True))
        labels = {split: load(path) for split, path in paths.items()}
        places = {
            split: {
                layer: load_rows(path, paths[split])[0]
                for layer, path in zip(snakemake.params.layers, maps[split], strict=True)
            }
            for split in SPLITS
        }
        counts = {split: len(rows) for split, rows in labels.items()}
        predictions = load_predictions(*snakemake.input.predictions, **counts) if snakemake.input.predictions else None
        if predictions is not None and predictions["train"].prediction.isna().any():
            predictions = None  # of these classes
        with whole(snakemake.output.table) as part:
            tabulate_maps(labels, places, predictions, load_classes(snakemake.input.classes)).to_csv(
                part, index=False, float_format="%.6g"
            )
