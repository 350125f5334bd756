"""The tables of docs/architectures.md, from architectures.csv, the table of compare_networks of that comparison."""

from collections.abc import Callable
from pathlib import Path

import pandas as pd
from protocol_tables import format_rows, in_percent, in_units

from common.names import SPLIT_NAMES

TABLE = Path(__file__).parent / "architectures.csv"
NETWORKS = {  # with the names on the page
    "MNIST": "notebook",
    "MNISTDense": "dense",
    "MNISTPlain": "plain",
    "MNISTWide": "wide",
    "MNISTShuffled": "shuffled",
}
STATES = {"before_training": "before training", "after_training": "after training", "learned": "learned"}
NEIGHBORS = {
    "knn_accuracy_features": "kNN accuracy, last layer, validation",
    "knn_accuracy_map": "kNN accuracy, embedding of it, validation",
}
LAYER_SCORES = {  # of the layers, with their names and their format
    "knn_accuracy_features": ("kNN accuracy, %", in_percent),
    "linear_probe_accuracy": ("linear probe accuracy, %", in_percent),
    "intrinsic_dimension": ("intrinsic dimension", in_units),
}


def load_table() -> pd.DataFrame:
    """Return the table of compare_networks, in which the network itself has the layer ""."""
    return pd.read_csv(TABLE).fillna({"layer": ""})


def show(table: pd.DataFrame, style: Callable[..., str], sign: str = "", **of: str) -> str:
    """Return the score of the only row of a table with these values in its columns; nothing if there is none."""
    for column, value in of.items():
        table = table[table[column] == value]
    if not len(table):
        return ""
    row = table.iloc[0]
    return style({"mean": row["mean"], "low": None if pd.isna(row.low) else row.low, "high": row.high}, sign)


def tabulate_networks(table: pd.DataFrame) -> str:
    """Return the accuracy of each network, and of the neighbors in its last layer and in the embedding of that."""
    rows = []
    for network, name in NETWORKS.items():
        found = table[(table.network == network) & (table.state == "after_training")]
        last = found.layer[found.depth == 1].iloc[0]
        cells = [
            *(show(found, in_percent, layer="", score="network_accuracy", split=split) for split in SPLIT_NAMES),
            *(show(found, in_percent, layer=last, score=score, split="validation") for score in NEIGHBORS),
        ]
        rows.append([name, f"{found.parameters.iloc[0]:,}", *cells])
    header = ["network", "parameters", *(f"accuracy, {split}" for split in SPLIT_NAMES.values()), *NEIGHBORS.values()]
    return format_rows(header, rows)


def tabulate_layers(table: pd.DataFrame) -> str:
    """Return the scores of the layers of each network before and after training, on validation images."""
    table = table[table.split == "validation"]
    rows = []
    for score, (title, style) in LAYER_SCORES.items():
        of_score = table[(table.score == score) & (table.layer != "")]
        rows.append([title, "", "pixel", "", show(of_score, style, network="MNIST", layer="pixel"), ""])
        for network, name in NETWORKS.items():
            found = of_score[(of_score.network == network) & (of_score.layer != "pixel")]
            for layer in found.layer.unique():
                cells = [
                    show(found, style, "+" if state == "learned" else "", layer=layer, state=state) for state in STATES
                ]
                rows.append(["", name, layer, *cells])
                name = ""
    return format_rows(["score", "network", "layer", *STATES.values()], rows)
