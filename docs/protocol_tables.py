"""The tables of docs/protocol.md and of the README's result, from the measurements beside this file."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path

import pandas as pd

from common.names import SPLIT_NAMES

DOCS = Path(__file__).parent
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


def in_units(interval: Mapping[str, float | None] | None, sign: str = "") -> str:
    """Return a score or a difference with its interval."""
    if not interval:
        return ""
    bounds = "" if interval["low"] is None else f" ({interval['low']:{sign}.2f} to {interval['high']:{sign}.2f})"
    return f"{interval['mean']:{sign}.2f}{bounds}"


LEARNED = {  # the scores that are compared before and after training, with their names and their format
    "knn_accuracy_features": ("kNN accuracy, %", in_percent),
    "linear_probe_accuracy": ("linear probe accuracy, %", in_percent),
    "class_mean_accuracy": ("class mean accuracy, %", in_percent),
    "separation_fuzziness": ("separation fuzziness", in_units),
    "intrinsic_dimension": ("intrinsic dimension", in_units),
}


def tabulate_accuracies(summary: Mapping) -> str:
    """Return the kNN accuracies of each layer and split, from layers.json."""
    header = ["layer", *(f"{space}, {name}" for space in ("features", "embedding") for name in SPLIT_NAMES.values())]
    scores = ("knn_accuracy_features", "knn_accuracy_map")
    rows = [
        [layer, *(in_percent(entry[split].get(score)) for score in scores for split in SPLIT_NAMES)]
        for layer, entry in summary["layers"].items()
    ]
    network = [in_percent(summary["network"][split].get("network_accuracy")) for split in SPLIT_NAMES]
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


def tabulate_learned(summary: Mapping) -> str:
    """Return what is given and what is learned, on test images, for each layer with a control and each score."""
    header = ["score", "layer", "pixels", "before training", "given", "after training", "learned"]
    rows = []
    for score, (name, style) in LEARNED.items():
        pixels = style(summary["layers"]["pixel"]["test"].get(score))
        for layer, entry in summary["layers"].items():
            if "before_training" in entry:
                parts = (entry["before_training"], entry["given"], entry, entry["learned"])
                before, given, after, learned = (part["test"].get(score) for part in parts)
                cells = [style(before), style(given, "+"), style(after), style(learned, "+")]
                rows.append([name, layer, pixels.split(" (")[0], *cells])
                name = ""
    return format_rows(header, rows)


def tabulate_similarity() -> str:
    """Return the similarity of pairs of layers, averaged over networks, from similarity.csv."""
    table = pd.read_csv(DOCS / "similarity.csv")
    layers = [layer for layer in dict.fromkeys([*table.layer, *table.layer_2]) if layer != "pixel"]
    after, after_2, before, before_2 = table.epoch.isna(), table.epoch_2.isna(), table.epoch == 0, table.epoch_2 == 0
    same_seed, one_layer = table.network_seed == table.network_seed_2, table.layer == table.layer_2
    rows = []
    for layer in layers:
        second, first = table.layer_2 == layer, table.layer == layer
        pairs = {
            "pixels and after training": (table.layer == "pixel") & second & after_2,
            "pixels and before training": (table.layer == "pixel") & second & before_2,
            "before and after training": one_layer & first & same_seed & (after != after_2),
            "two seeds, before training": one_layer & first & ~same_seed & before & before_2,
            "two seeds, after training": one_layer & first & ~same_seed & after & after_2,
        }
        for name, chosen in pairs.items():
            if chosen.any():
                means = table[chosen][["cka", "overlap"]].mean()
                rows.append([layer, name, f"{means.cka:.2f}", f"{means.overlap:.2f}", f"{chosen.sum()}"])
    return format_rows(["layer", "pair", "linear CKA", "shared neighbors", "pairs"], rows)


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


SCORED = {  # of an embedding, with their names, factors and decimals
    "knn_accuracy_map_test": ("error, test, %", lambda value: f"{100 * (1 - value):.2f}"),
    "knn_preservation_10_test": ("kept, test, %", lambda value: f"{100 * value:.1f}"),
    "silhouette_map_train": ("silhouette", "{:.2f}".format),
    "distance_correlation_train": ("distance correlation", "{:.2f}".format),
}


def format_spread(values: pd.Series, style: Callable[[float], str]) -> str:
    """Return the mean of values with their range, if it is visible in this style."""
    low, high = sorted((style(values.min()), style(values.max())), key=float)
    return style(values.mean()) + (f" ({low} to {high})" if low != high else "")


def tabulate_starts() -> str:
    """Return the table of the two starts of t-SNE: means over seeds, with the range."""
    table = pd.read_csv(DOCS / "start.csv")
    columns = {
        "kl_divergence": ("KL divergence", "{:.3f}".format),
        "r_squared": ("R²", "{:.2f}".format),
        "median_turn": ("median turn, °", "{:.0f}".format),
        "turned_by_45": ("classes turned by more than 45°", "{:.0f}".format),
        **SCORED,
    }
    rows = []
    for (layer, start), found in table.groupby(["layer", "start"], sort=False):
        cells = [format_spread(found[column], style) for column, (_, style) in columns.items()]
        rows.append([layer, {"reference": "pixels", "pca": "components"}[start], *cells])
    return format_rows(["layer", "start", *(name for name, _ in columns.values())], rows)


def tabulate_iterations() -> str:
    """Return the table of embeddings by the number of iterations."""
    table = pd.read_csv(DOCS / "iterations.csv")
    columns = {"kl_divergence": ("KL divergence", "{:.3f}".format), **SCORED}
    rows = [
        [row.layer, f"{row.iterations:,}", *(style(getattr(row, column)) for column, (_, style) in columns.items())]
        for row in table.itertuples()
    ]
    return format_rows(["layer", "iterations", *(name for name, _ in columns.values())], rows)


def tabulate_recall() -> str:
    """Return the table of embeddings by the recall of their neighbors: means over seeds, with the range."""
    table = pd.read_csv(DOCS / "recall.csv")
    columns = {"kl_divergence": ("KL divergence", "{:.4f}".format), **SCORED}
    rows = []
    for (layer, share), found in table.groupby(["layer", "recall"], sort=False):
        cells = [format_spread(found[column], style) for column, (_, style) in columns.items()]
        rows.append([layer, f"{share:.4f}", f"{found.search_seconds.iloc[0]:.1f}", *cells])
    return format_rows(["layer", "recall", "search, seconds", *(name for name, _ in columns.values())], rows)


def tabulate_training(summary: Mapping) -> str:
    """Return the table of the layers over the epochs, on validation images, from the layers.json of such a run."""
    scores = ("knn_accuracy_features", "linear_probe_accuracy", "knn_accuracy_map")
    rows = []
    for layer, last in summary["layers"].items():
        before = {"0": last["before_training"]} if "before_training" in last else {}
        for epoch, entry in {**before, **last.get("epochs", {}), "last": last}.items():
            rows.append([layer, epoch, *(in_percent(entry["validation"].get(score)) for score in scores)])
    names = ("kNN accuracy, features, %", "linear probe accuracy, %", "kNN accuracy, map, %")
    return format_rows(["layer", "epoch", *names], rows)


WAYS = {
    "components": "from the principal components of its own features",
    "reference": "from the embedding of the pixels",
    "previous": "from the embedding of the epoch before, scaled down",
    "continued": "from the embedding of the epoch before, as it is, without exaggeration",
}


def tabulate_epochs() -> str:
    """Return the table of the ways to start the embeddings of successive epochs: means over layers and epochs."""
    table = pd.read_csv(DOCS / "epochs.csv", dtype={"epoch": str})
    columns = {
        "kl_divergence": ("KL divergence", "{:.3f}".format),
        "knn_preservation_10_test": ("kNN preservation, test, %", lambda value: f"{100 * value:.1f}"),
        "knn_accuracy_map_test": ("kNN accuracy, test, %", lambda value: f"{100 * value:.2f}"),
        "moved": ("median move, % of the radius", lambda value: f"{100 * value:.0f}"),
        "r_squared": ("R² to the epoch before", "{:.2f}".format),
    }
    rows = [
        [WAYS[way], *(style(found[column].mean()) for column, (_, style) in columns.items())]
        for way, found in table.groupby("way", sort=False)
    ]
    return format_rows(["each epoch starts", *(name for name, _ in columns.values())], rows)


def load_summary(name: str = "layers") -> dict:
    """Return the summary of a run whose layers.json is docs/{name}.json."""
    return json.loads((DOCS / f"{name}.json").read_text(encoding="utf-8"))
