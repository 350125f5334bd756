"""Compare the layers: a table of all scores, and a summary over the seeds."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from common.files import atomic_write, save_json
from common.inputs import load_json
from common.logs import run_logged
from common.scoring.scores import SCORES, as_number
from common.tables import load_table

SPLITS = ("train", "test")


def measure_accuracy(predictions: pd.DataFrame) -> dict[str, float]:
    """Return the share of correct predictions by split, from the table of predict_labels.

    Splits without predictions, of a network that does not predict these classes, are left out.
    """
    known = predictions.dropna(subset="prediction")
    return (known.prediction == known.label).groupby(known.split).mean().to_dict()


def tabulate(scores: Sequence[Mapping[str, Any]], accuracies: Mapping[int | None, Mapping[str, float]]) -> pd.DataFrame:
    """Return a row for each layer, split and pair of seeds, in the order of `scores`, which score_map wrote.

    A split without images has no row. `accuracies` are those of the networks by seed (None for an imported model) and
    split; the column network_accuracy is empty where no network predicts these classes.
    """
    rows = []
    for entry in scores:
        network = accuracies.get(entry["network_seed"], {}) if entry["of_network"] else {}
        for split in SPLITS:
            values = entry[split] | {"network_accuracy": network.get(split)}
            if values["rows"]:
                row = {name: entry[name] for name in ("layer", "dimensions", "network_seed", "tsne_seed")}
                row |= {"split": split, "rows": values["rows"]}
                rows.append(row | {key: as_number(values.get(key)) for key in SCORES})
    table = pd.DataFrame(rows)
    return table.astype({"network_seed": "Int64", **dict.fromkeys(SCORES, float)})


def summarize_values(values: pd.Series) -> dict[str, float] | None:
    """Return mean, minimum and maximum of the values that are known; None if none is."""
    known = values.dropna()
    return {"mean": known.mean(), "low": known.min(), "high": known.max()} if len(known) else None


def subtract_means(
    minuend: Mapping[str, Mapping[str, float]], subtrahend: Mapping[str, Mapping[str, float]]
) -> dict[str, float]:
    """Return the differences of the means of the scores that both have."""
    return {
        key: minuend[key]["mean"] - subtrahend[key]["mean"] for key in SCORES if key in minuend and key in subtrahend
    }


def summarize(table: pd.DataFrame, reference: str) -> dict[str, Any]:
    """Return, for each layer, the mean and range of each score over the seeds, on both splits.

    Differences between means are the gain over the `reference` layer (`gain_train`, `gain_test`) and the
    `train_test_gap`. `best` is the layer with the highest kNN accuracy on the test images, or on the training images
    if there are no others; None without labels.
    """
    layers = {}
    for layer, rows in table.groupby("layer", sort=False):
        layers[layer] = {"dimensions": int(rows.dimensions.iloc[0])}
        for split in SPLITS:
            spreads = {key: summarize_values(rows.loc[rows.split == split, key]) for key in SCORES}
            layers[layer][split] = {key: spread for key, spread in spreads.items() if spread}
    for entry in layers.values():
        for split in SPLITS:
            entry[f"gain_{split}"] = subtract_means(entry[split], layers[reference][split])
        entry["train_test_gap"] = subtract_means(entry["train"], entry["test"])
    networks = table.dropna(subset="network_accuracy").drop_duplicates(["network_seed", "split"])
    accuracy = {split: summarize_values(networks[networks.split == split].network_accuracy) for split in SPLITS}
    best = {space: find_best(layers, f"knn_accuracy_{space}") for space in ("features", "map")}
    return {"best": best, "network_accuracy": accuracy, "layers": layers}


def find_best(layers: Mapping[str, Mapping[str, Any]], score: str) -> str | None:
    """Return the layer with the highest score, on the test images if all layers have it there."""
    split = "test" if all(score in entry["test"] for entry in layers.values()) else "train"
    known = [layer for layer, entry in layers.items() if score in entry[split]]
    return max(known, key=lambda layer: layers[layer][split][score]["mean"], default=None)


if __name__ == "__main__":
    with run_logged(snakemake.log[0], "compare_layers"):
        accuracies = {}
        for seed, path in zip(snakemake.params.network_seeds, snakemake.input.predictions, strict=True):
            accuracies[seed] = measure_accuracy(load_table(path, "split", "label", "prediction"))
        table = tabulate([load_json(path) for path in snakemake.input.scores], accuracies)
        with atomic_write(snakemake.output.table) as part:
            table.to_csv(part, index=False, float_format="%.6g")
        save_json(snakemake.output.summary, summarize(table, snakemake.params.reference))
