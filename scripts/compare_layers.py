"""Put the layers' scores side by side: a table of all of them, and a summary over the seeds."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from common.arrays import load_json
from common.files import whole
from common.jobs import job
from common.tables import SCORES, load_table


def tabulate(scores: Sequence[Mapping[str, Any]], accuracies: Mapping[int | None, Mapping[str, float]]) -> pd.DataFrame:
    """A row a layer, split (train, test) and pair of seeds, in the order of `scores`, what score_map wrote.

    A split without images has no row. `accuracies` has each network's by its seed (None of one that is used as it is)
    and by split; the column network_accuracy is the network's own, where there is one that predicts these classes.
    """
    rows = []
    for entry in scores:
        for split in ("train", "test"):
            values = entry[split]
            if not values["rows"]:
                continue
            row = {name: entry[name] for name in ("layer", "dimensions", "network_seed", "tsne_seed")}
            row |= {"split": split, "rows": values["rows"]}
            own = accuracies.get(entry["network_seed"], {}) if entry["of_network"] else {}
            values = values | {"network_accuracy": own.get(split)}
            for name in SCORES:
                value = values.get(name)
                row[name] = value["mean"] if isinstance(value, Mapping) else value
            rows.append(row)
    table = pd.DataFrame(rows)
    return table.astype({"network_seed": "Int64", **dict.fromkeys(SCORES, float)})


def spread(values: pd.Series) -> dict[str, float] | None:
    """Mean, lowest and highest of what is given; None if nothing is."""
    known = values.dropna()
    return {"mean": known.mean(), "low": known.min(), "high": known.max()} if len(known) else None


def summarize(table: pd.DataFrame, reference: str) -> dict[str, Any]:
    """The answer, from the table: of each layer each score's mean and range over the seeds, on both splits.

    Also how much better than the `reference` layer it is (`gain_train`, `gain_test`), and how much it falls from the
    training to the test images (`fall`), both between means; and the best layer by its accuracy on the test images, or
    where there are none on the training images; None without labels.
    """
    layers = {}
    for layer, rows in table.groupby("layer", sort=False):
        splits = {split: rows[rows.split == split] for split in ("train", "test")}
        layers[layer] = {"dimensions": int(rows.dimensions.iloc[0])}
        layers[layer] |= {
            split: {name: spread(part[name]) for name in SCORES if spread(part[name])} for split, part in splits.items()
        }
    first = layers[reference]
    for entry in layers.values():
        for split in ("train", "test"):
            shared = first[split].keys() & entry[split].keys()
            entry[f"gain_{split}"] = {
                name: entry[split][name]["mean"] - first[split][name]["mean"] for name in SCORES if name in shared
            }
        shared = entry["train"].keys() & entry["test"].keys()
        entry["fall"] = {
            name: entry["train"][name]["mean"] - entry["test"][name]["mean"] for name in SCORES if name in shared
        }
    best = {}
    for space in ("features", "map"):
        score = f"{space}_accuracy"
        split = "test" if all(score in entry["test"] for entry in layers.values()) else "train"
        known = [layer for layer, entry in layers.items() if score in entry[split]]
        best[space] = max(known, key=lambda layer: layers[layer][split][score]["mean"], default=None)
    networks = table.dropna(subset="network_accuracy").drop_duplicates(["network_seed", "split"])
    accuracy = {split: spread(networks[networks.split == split].network_accuracy) for split in ("train", "test")}
    return {"best": best, "network_accuracy": accuracy, "layers": layers}


if __name__ == "__main__":
    with job(snakemake.log[0], "compare_layers"):
        accuracies = {}
        for seed, path in zip(snakemake.params.network_seeds, snakemake.input.predictions, strict=True):
            predictions = load_table(path, "split", "label", "prediction").dropna(subset="prediction")
            right = predictions.prediction == predictions.label
            accuracies[seed] = right.groupby(predictions.split).mean().to_dict()
        table = tabulate([load_json(path) for path in snakemake.input.scores], accuracies)
        with whole(snakemake.output.table) as part:
            table.to_csv(part, index=False, float_format="%.6g")
        with whole(snakemake.output.summary) as part:
            part.write_text(json.dumps(summarize(table, snakemake.params.reference), indent=2) + "\n")
