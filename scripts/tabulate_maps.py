"""Write a table of the coordinates of all images in all embeddings, with their labels and predictions."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from common.files import atomic_write
from common.inputs import load_array, load_classes, load_npz, load_rows
from common.logs import run_logged
from common.names import SPLITS
from common.row_names import load_names
from common.scoring.depth import prediction_depths
from common.tables import load_predictions


def tabulate_maps(
    labels: Mapping[str, np.ndarray],
    coordinates: Mapping[str, Mapping[str, np.ndarray]],
    votes: Mapping[str, Mapping[str, np.ndarray]],
    predictions: Mapping[str, pd.DataFrame] | None,
    classes: Sequence[str],
    names: tuple[str, Sequence[Sequence[str]]] | None = None,
) -> pd.DataFrame:
    """Return a table with one row an image, the training images first.

    `labels` (n,) are by split, `coordinates` (n, 2) and `votes` (n,) of the nearest neighbors in the features by split
    and layer, `predictions` by split as load_predictions returns them; labels, votes and predictions are numbers of
    `classes`, and `names` are those of the rows as load_names returns them. Columns: id (the row number in the split),
    split, file or name (as `names` has it), label (a class name), prediction (a class name), confidence,
    prediction_depth (a layer), and {layer}_x, {layer}_y and {layer}_knn (a class name) for each layer. Without classes
    there are no label and no votes, without predictions neither prediction, confidence nor depth, without
    probabilities no confidence.
    """
    class_names = np.array(classes)
    tables = []
    for number, split in enumerate(SPLITS):
        columns = {"id": np.arange(len(labels[split])), "split": split}
        if names:
            columns[names[0]] = names[1][number]
        if classes:
            columns["label"] = class_names[labels[split]]
        if predictions is not None:
            columns["prediction"] = class_names[predictions[split].prediction.to_numpy(int)]
            if predictions["train"].confidence.notna().all():
                columns["confidence"] = predictions[split].confidence.to_numpy()
            if classes and len(labels[split]):
                columns["prediction_depth"] = name_depths(votes[split], predictions[split].prediction.to_numpy(int))
        for layer, points in coordinates[split].items():
            columns |= {f"{layer}_{axis}": points[:, column] for column, axis in enumerate("xy")}
            if classes and len(points):
                columns[f"{layer}_knn"] = class_names[votes[split][layer]]
        tables.append(pd.DataFrame(columns))
    return pd.concat(tables, ignore_index=True)


def name_depths(votes: Mapping[str, np.ndarray], predictions: np.ndarray) -> np.ndarray:
    """Return the prediction depth of each image, (n,): the first layer from which the votes equal the prediction.

    `votes` (n,) are by layer, in the order of the layers. The name is "network" if the last layer's vote differs.
    """
    return np.array([*votes, "network"])[prediction_depths(np.array(list(votes.values())), predictions)]


if __name__ == "__main__":
    with run_logged(snakemake.log[0], "tabulate_maps"):
        paths = dict(zip(SPLITS, snakemake.input.labels, strict=True))
        maps = {split: snakemake.input.maps[number :: len(SPLITS)] for number, split in enumerate(SPLITS)}
        labels = {split: load_array(path) for split, path in paths.items()}
        coordinates = {
            split: {
                layer: load_rows(path, paths[split])[0]
                for layer, path in zip(snakemake.params.layers, maps[split], strict=True)
            }
            for split in SPLITS
        }
        outcomes = dict(zip(snakemake.params.layers, map(load_npz, snakemake.input.outcomes), strict=True))
        votes = {split: {layer: found.get(f"{split}_vote") for layer, found in outcomes.items()} for split in SPLITS}
        counts = {split: len(rows) for split, rows in labels.items()}
        predictions = load_predictions(*snakemake.input.predictions, **counts) if snakemake.input.predictions else None
        if predictions is not None and predictions["train"].prediction.isna().any():
            predictions = None  # the network predicts other classes
        names, classes = load_names(snakemake.input.names, list(counts.values())), load_classes(snakemake.input.classes)
        with atomic_write(snakemake.output.table) as part:
            table = tabulate_maps(labels, coordinates, votes, predictions, classes, names)
            table.to_csv(part, index=False, float_format="%.6g")
