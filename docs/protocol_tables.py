"""The tables of docs/protocol.md and of the README's result, from the measurements beside this file."""

import json
from collections.abc import Mapping
from pathlib import Path

import pandas as pd

DOCS = Path(__file__).parent
SPLITS = {"train": "training", "validation": "validation", "test": "test"}
METRICS = {
    "knn_accuracy_features": "Euclidean",
    "knn_accuracy_cosine": "cosine",
    "knn_accuracy_pca": "50 components",
}


def format_rows(header: list[str], rows: list[list[str]]) -> str:
    """Return a table in Markdown."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(line)} |".replace("| --- ", "|---").replace("|--- |", "|---|") for line in lines)


def in_percent(interval: Mapping[str, float | None] | None, sign: str = "") -> str:
    """Return a score or a difference in percent, with its interval."""
    if not interval:
        return ""
    mean = f"{100 * interval['mean']:{sign}.2f}"
    if interval["low"] is None:
        return mean
    return f"{mean} ({100 * interval['low']:{sign}.2f} to {100 * interval['high']:{sign}.2f})"


def tabulate_accuracies(summary: Mapping) -> str:
    """Return the kNN accuracies of each layer and split, from layers.json."""
    header = ["layer", *(f"{space}, {name}" for space in ("features", "embedding") for name in SPLITS.values())]
    scores = ("knn_accuracy_features", "knn_accuracy_map")
    rows = [
        [layer, *(in_percent(entry[split].get(score)) for score in scores for split in SPLITS)]
        for layer, entry in summary["layers"].items()
    ]
    network = [in_percent(summary["network"][split].get("network_accuracy")) for split in SPLITS]
    return format_rows(header, [*rows, ["network", *network, "", "", ""]])


def tabulate_gains(summary: Mapping) -> str:
    """Return what each layer gains over the layer before on test images, by three metrics, and what it memorizes."""
    header = ["layer", *(f"gain, {name}" for name in METRICS.values()), "memorization", "shift"]
    rows = []
    for layer, entry in summary["layers"].items():
        gains = [in_percent(entry.get("gain", {}).get("test", {}).get(score), "+") for score in METRICS]
        splits = [in_percent(entry[name].get("knn_accuracy_features"), "+") for name in ("memorization", "shift")]
        rows.append([layer, *gains, *splits])
    network = [in_percent(summary["network"][name].get("network_accuracy"), "+") for name in ("memorization", "shift")]
    return format_rows(header, [*rows, ["network", "", "", "", *network]])


def tabulate_heldout() -> str:
    """Return the table of the two ways to embed held-out images."""
    table = pd.read_csv(DOCS / "heldout.csv").sort_values("way", kind="stable")
    rows = []
    for (layer, way), found in table.groupby(["layer", "way"], sort=False):
        found = found.set_index("split")
        cells = [layer, {"joint": "together", "placed": "placed"}[way]]
        for split in ("train", "train, placed anew", "validation", "test"):
            known = split in found.index
            cells.append(f"{100 * (1 - found.knn_accuracy_map[split]):.2f}" if known else "")
            cells.append(f"{100 * found.knn_preservation_10[split]:.1f}" if known else "")
        rows.append([*cells, f"{found.seconds.iloc[0]:.0f}"])
    order = {layer: number for number, layer in enumerate(table.layer.unique())}
    rows.sort(key=lambda cells: order[cells[0]])
    names = ("training", "training, placed anew", "validation", "test")
    header = ["layer", "held-out images", *(f"{name}: {what}" for name in names for what in ("error", "kept")), "s"]
    return format_rows(header, rows)


def load_summary() -> dict:
    """Return the reference, docs/layers.json."""
    return json.loads((DOCS / "layers.json").read_text(encoding="utf-8"))
