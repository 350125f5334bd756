"""Predict the class of each training, validation and test image."""

import logging

import numpy as np
import pandas as pd

from common.files import atomic_write
from common.inputs import load_classes, load_rows
from common.logs import run_logged
from common.networks.graph import batch_size
from common.networks.keras_setup import keras, use_devices
from common.networks.model_files import load_network
from common.networks.outputs import ends_linear, explain_mismatch, explain_order, order_outputs, predict_classes
from common.row_names import load_names

log = logging.getLogger("workflow")


def compute_outputs(network: keras.Model, images: np.ndarray) -> np.ndarray:
    """Return the network's outputs (n, outputs) float32 for `images` (n, height, width, channels); n may be 0."""
    size = batch_size(network)
    outputs = [network.predict_on_batch(images[start : start + size]) for start in range(0, len(images), size)]
    return np.concatenate([np.zeros((0, network.output_shape[1]), np.float32), *outputs]).astype(np.float32)


def tabulate_predictions(labels: np.ndarray, predictions: np.ndarray, confidence: np.ndarray) -> pd.DataFrame:
    """Return a table with a row for each image, from class numbers `labels` and `predictions`, and the `confidence`.

    Columns: id (the row number), label, prediction (the most probable class) and confidence (its probability).
    """
    columns = {"label": labels, "prediction": predictions, "confidence": confidence}
    return pd.DataFrame({"id": np.arange(len(labels)), **columns})


def empty_predictions(labels: np.ndarray, known: bool) -> pd.DataFrame:
    """Return the table for a network that does not predict these classes: prediction and confidence are empty.

    The label is empty, too, if the labels are not `known`.
    """
    nothing = np.full(len(labels), np.nan)
    return tabulate_predictions(labels if known else nothing, nothing, nothing)


if __name__ == "__main__":
    with run_logged(snakemake.log[0], "predict_labels"):
        use_devices(snakemake.threads)
        network = load_network(snakemake.input.network)
        classes, params = load_classes(snakemake.input.classes), snakemake.params
        splits = {
            split: load_rows(images, labels)
            for split, images, labels in zip(params.splits, snakemake.input.images, snakemake.input.labels, strict=True)
        }
        names = load_names(snakemake.input.names, [len(labels) for _, labels in splits.values()])
        problem = explain_mismatch(network, len(classes)) if classes else "the data set has no labels"
        tables = {split: empty_predictions(labels, known=bool(classes)) for split, (_, labels) in splits.items()}
        if problem:
            log.info("the network does not predict these classes: %s", problem)
        else:
            outputs = [compute_outputs(network, images) for images, _ in splits.values()]
            predicted, confidence, kind = predict_classes(np.concatenate(outputs), ends_linear(network))
            log.info("the network's outputs are %s", kind)
            source_names = classes if params.classes is None else [str(number) for number in range(len(classes))]
            order = order_outputs(params.class_order, classes, source_names)
            ends = np.cumsum([len(part) for part in outputs])[:-1]
            parts = zip(splits.items(), np.split(predicted, ends), np.split(confidence, ends), strict=True)
            for (split, (_, labels)), numbers, probabilities in parts:
                tables[split] = tabulate_predictions(labels, order[numbers], probabilities)
                correct = (tables[split].prediction == labels).sum()
                log.info("%s: %d of %d predictions are correct", split, correct, len(labels))
            warning = explain_order(predicted[: ends[0]], splits["train"][1], order, source_names)
            if warning:
                log.warning(warning)
        for number, (split, table) in enumerate(tables.items()):
            table.insert(0, "split", split)
            if names:
                table.insert(2, names[0], names[1][number])
        with atomic_write(snakemake.output.predictions) as part:
            pd.concat(tables.values()).to_csv(part, index=False, float_format="%.5g")
