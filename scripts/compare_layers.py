"""Compare the layers: a table of all scores, and a summary with intervals and differences."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from common.files import atomic_write, save_json
from common.inputs import load_json, load_npz
from common.logs import run_logged
from common.names import SPLITS
from common.scoring.baselines import BASELINES
from common.scoring.bootstrap import describe, resample_means
from common.scoring.scores import SCORES, mean_outcome
from common.tables import load_table

Entry = Mapping[str, Any]  # what score_map wrote of a layer
Outcomes = Mapping[str, np.ndarray]  # of its images, by "{split}_{score}"
Network = Mapping[str, np.ndarray]  # whether a network predicts the label of each image, by split
State = tuple[str | None, int | None]  # a layer, None for the network's answer, and an epoch, None for the last

NETWORK: State = (None, None)

DIFFERENCES = {  # between splits
    "memorization": ("train", "validation"),
    "shift": ("validation", "test"),
}


def find_correct(predictions: pd.DataFrame) -> dict[str, np.ndarray]:
    """Return whether the prediction of each image is right, (n,) float, by split, from the table of predict_labels.

    Splits without predictions, of a network that does not predict these classes, are left out.
    """
    known = predictions.dropna(subset="prediction")
    return {split: (rows.prediction == rows.label).to_numpy(float) for split, rows in known.groupby("split")}


def tabulate(
    entries: Sequence[Entry], outcomes: Sequence[Outcomes], networks: Mapping[int | None, Network]
) -> pd.DataFrame:
    """Return a row for each layer, epoch, embedding, split and pair of seeds, in the order of `entries` and `outcomes`.

    The epoch is 0 before training and empty for the last. The embedding is "tsne" or a baseline, which has only scores
    of embeddings. A split without images has no row.
    `networks` are by seed, None for an imported model; the column network_accuracy is empty where no network predicts
    these classes.
    """
    rows = []
    for entry, of_images in zip(entries, outcomes, strict=True):
        is_last = entry["of_network"] and entry["epoch"] is None
        correct = networks.get(entry["network_seed"], {}) if is_last else {}
        for split in SPLITS:
            values = entry[split]
            if not values["rows"]:
                continue
            means = {key: mean_outcome(of_images.get(f"{split}_{key}")) for key in SCORES}
            accuracy = mean_outcome(correct.get(split))
            given = {"kl_divergence": values.get("kl_divergence"), "network_accuracy": accuracy}
            embeddings = {"tsne": means | given}
            embeddings |= {name: values[f"baseline_{name}"] for name in BASELINES if f"baseline_{name}" in values}
            for embedding, scores in embeddings.items():
                row = {name: entry[name] for name in ("layer", "epoch", "dimensions", "network_seed", "tsne_seed")}
                row |= {"embedding": embedding, "split": split, "rows": values["rows"]}
                rows.append(row | {key: scores.get(key) for key in SCORES})
    table = pd.DataFrame(rows)
    return table.astype({"epoch": "Int64", "network_seed": "Int64", **dict.fromkeys(SCORES, float)})


class Estimates:
    """The scores of each layer, epoch and split, and what they are in each resample of the bootstrap."""

    def __init__(
        self, entries: Sequence[Entry], outcomes: Sequence[Outcomes], networks: Mapping[int | None, Network]
    ) -> None:
        """Resample the `outcomes` of all `entries` and of the networks."""
        self.means, self.resampled = {}, {}
        grids = {}  # by state, then by the seed of the network, a list over the seeds of the embedding
        for entry, of_images in zip(entries, outcomes, strict=True):
            grid = grids.setdefault((entry["layer"], entry["epoch"]), {})
            grid.setdefault(entry["network_seed"], []).append(of_images)
        for state, grid in grids.items():
            for split in SPLITS:
                for score in SCORES:
                    self.add(state, split, score, [[of.get(f"{split}_{score}") for of in row] for row in grid.values()])
        for split in SPLITS:
            self.add(NETWORK, split, "network_accuracy", [[correct.get(split)] for correct in networks.values()])

    def add(self, state: State, split: str, score: str, outcomes: list[list[np.ndarray | None]]) -> None:
        """Resample the outcomes [network][embedding] of one score, unless it is unknown in one of them."""
        every = [mean_outcome(values) for row in outcomes for values in row]
        if every and None not in every:
            self.means[state, split, score] = float(np.mean(every))
            self.resampled[state, split, score] = resample_means(outcomes, SPLITS.index(split))

    def scores(self, state: State, split: str) -> dict[str, dict[str, float | None]]:
        """Return the known scores of a layer or of the network, each with its interval."""
        keys = {score: (state, split, score) for score in SCORES}
        return {
            score: describe(self.means[key], self.resampled[key]) for score, key in keys.items() if key in self.means
        }

    def differences(
        self, minuend: tuple[State, str], subtrahend: tuple[State, str]
    ) -> dict[str, dict[str, float | None]]:
        """Return the differences of the comparable scores that two pairs of state and split have, with intervals."""
        found = {}
        for score in SCORES:
            first, second = (*minuend, score), (*subtrahend, score)
            comparable = SCORES[score].comparable or minuend[0][0] == subtrahend[0][0]
            if comparable and first in self.means and second in self.means:
                mean = self.means[first] - self.means[second]
                found[score] = describe(mean, self.resampled[first] - self.resampled[second])
        return found

    def by_split(self, state: State) -> dict[str, Any]:
        """Return the scores of a layer or of the network by split."""
        return {split: self.scores(state, split) for split in SPLITS}

    def gains(self, minuend: State, subtrahend: State) -> dict[str, Any]:
        """Return the differences of two states by split."""
        return {split: self.differences((minuend, split), (subtrahend, split)) for split in SPLITS}


def summarize(table: pd.DataFrame, estimates: Estimates) -> dict[str, Any]:
    """Return the summary of the layers, from the table of `tabulate`. Every number has its 95 % interval.

    Each layer has its `dimensions` and, by split, its scores; `gain`, their differences from the layer before;
    `memorization`, training minus validation; `shift`, validation minus test; and `baselines`, the means of their
    scores. A layer with a control has its scores `before_training`, `given`, their differences from the pixels, and
    `learned`, the differences of the last epoch from them. `epochs` are the scores after the epochs between, if there
    are any, by number. `network` has the scores of the network's accuracy. `best`
    is the layer with the highest kNN accuracy on held-out images, or on training images if there are no others; None
    without labels.
    """
    layers, before = {}, None
    for layer, rows in table.groupby("layer", sort=False):
        last, initial = (layer, None), (layer, 0)
        entry = {"dimensions": int(rows.dimensions.iloc[0]), **estimates.by_split(last)}
        if before is not None:
            entry["gain"] = {"over": before, **estimates.gains(last, (before, None))}
        entry |= compare_splits(estimates, last)
        if (rows.epoch == 0).any():
            entry["before_training"] = estimates.by_split(initial)
            if "pixel" in set(table.layer):
                entry["given"] = estimates.gains(initial, ("pixel", None))
            entry["learned"] = estimates.gains(last, initial)
        between = [int(epoch) for epoch in rows.epoch.dropna().unique() if epoch]
        if between:
            entry["epochs"] = {f"{epoch}": estimates.by_split((layer, epoch)) for epoch in sorted(between)}
        baselines = rows[rows.embedding != "tsne"].groupby(["embedding", "split"], sort=False)[list(SCORES)].mean()
        for (embedding, split), values in baselines.iterrows():
            of_baseline = entry.setdefault("baselines", {}).setdefault(embedding, {})
            of_baseline[split] = values.dropna().to_dict()
        layers[layer], before = entry, layer
    network = estimates.by_split(NETWORK) | compare_splits(estimates, NETWORK)
    best = {space: find_best(layers, f"knn_accuracy_{space}") for space in ("features", "map")}
    return {"best": best, "network": network, "layers": layers}


def compare_splits(estimates: Estimates, state: State) -> dict[str, Any]:
    """Return the differences between splits of a layer, or of the network."""
    return {
        name: estimates.differences((state, minuend), (state, subtrahend))
        for name, (minuend, subtrahend) in DIFFERENCES.items()
    }


def find_best(layers: Mapping[str, Mapping[str, Any]], score: str) -> str | None:
    """Return the layer with the highest score, on the last split that all layers have it on."""
    for split in reversed(SPLITS):
        known = {layer: entry[split][score]["mean"] for layer, entry in layers.items() if score in entry[split]}
        if len(known) == len(layers):
            return max(known, key=known.get)
    return None


if __name__ == "__main__":
    with run_logged(snakemake.log[0], "compare_layers"):
        paths, networks = snakemake.input, {}
        for seed, path in zip(snakemake.params.network_seeds, paths.predictions, strict=True):
            networks[seed] = find_correct(load_table(path, "split", "label", "prediction"))
        entries = [load_json(path) for path in paths.scores]
        outcomes = [
            load_npz(of_map) | load_npz(of_features)
            for of_map, of_features in zip(paths.outcomes, paths.features_outcomes, strict=True)
        ]
        knn = pd.concat([load_table(path, "k", "accuracy") for path in dict.fromkeys(paths.knn)])
        with atomic_write(snakemake.output.knn) as part:
            knn.to_csv(part, index=False, float_format="%.6g")
        table = tabulate(entries, outcomes, networks)
        with atomic_write(snakemake.output.table) as part:
            table.to_csv(part, index=False, float_format="%.6g")
        save_json(snakemake.output.summary, summarize(table, Estimates(entries, outcomes, networks)))
