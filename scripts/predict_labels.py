"""Predict the class of each training, validation and test image."""

import logging

import numpy as np
import pandas as pd

from common.inputs import load_classes, load_rows
from common.logs import run_logged
from common.networks.graph import batch_size, explain_output
from common.networks.keras_setup import keras, use_devices
from common.networks.model_files import load_network
from common.row_names import load_names
from common.tables import save_predictions, tabulate_predictions

log = logging.getLogger("workflow")


def predict_labels(network: keras.Model, images: np.ndarray, labels: np.ndarray) -> pd.DataFrame:
    """Return a table with a row for each of the `images` (n, height, width, channels) and `labels` (n,); n may be 0.

    Columns: id (the row number), label, prediction (the most probable class) and confidence (its probability). The
    network's output is a probability for each class.
    """
    size = batch_size(network)
    outputs = [network.predict_on_batch(images[start : start + size]) for start in range(0, len(images), size)]
    probabilities = np.concatenate([np.zeros((0, network.output_shape[1]), np.float32), *outputs])
    return tabulate_predictions(labels, probabilities.argmax(axis=1), probabilities.max(axis=1))


def empty_predictions(labels: np.ndarray, known: bool) -> pd.DataFrame:
    """Return the table for a network that does not predict these classes: prediction and confidence are empty.

    The label is empty, too, if the labels are not `known`.
    """
    return tabulate_predictions(labels if known else np.full(len(labels), np.nan), None, None)


if __name__ == "__main__":
    with run_logged(snakemake.log[0], "predict_labels"):
        use_devices(snakemake.threads)
        network = load_network(snakemake.input.network)
        classes = load_classes(snakemake.input.classes)
        splits = {
            split: load_rows(images, labels)
            for split, images, labels in zip(
                snakemake.params.splits, snakemake.input.images, snakemake.input.labels, strict=True
            )
        }
        names = load_names(snakemake.input.names, [len(labels) for _, labels in splits.values()])
        problem = "the data set has no labels"
        if classes:
            problem = explain_output(network, splits["train"][0], len(classes))
        if problem:
            log.info("the network does not predict these classes: %s", problem)
        tables = {}
        for split, (images, labels) in splits.items():
            if problem:
                tables[split] = empty_predictions(labels, known=bool(classes))
            else:
                table = tables[split] = predict_labels(network, images, labels)
                correct = (table.prediction == table.label).sum()
                log.info("%s: %d of %d predictions are correct", split, correct, len(table))
        save_predictions(snakemake.output.predictions, tables, names)
