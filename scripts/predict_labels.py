"""Predict the class of each training, validation and test image."""

import logging

import numpy as np
import pandas as pd

from common.inputs import load_classes, load_rows
from common.logs import run_logged
from common.networks.graph import batch_size
from common.networks.keras_setup import keras, use_devices
from common.networks.model_files import load_network
from common.networks.outputs import ends_linear, explain_mismatch, explain_order, order_outputs, predict_classes
from common.row_names import load_names
from common.tables import save_predictions, tabulate_predictions

log = logging.getLogger("workflow")


def compute_outputs(network: keras.Model, images: np.ndarray) -> np.ndarray:
    """Return the network's outputs (n, outputs) float32 for `images` (n, height, width, channels); n may be 0."""
    size = batch_size(network)
    outputs = [network.predict_on_batch(images[start : start + size]) for start in range(0, len(images), size)]
    return np.concatenate([np.zeros((0, network.output_shape[1]), np.float32), *outputs]).astype(np.float32)


def empty_predictions(labels: np.ndarray, known: bool) -> pd.DataFrame:
    """Return the table for a network that does not predict these classes: prediction and confidence are empty.

    The label is empty, too, if the labels are not `known`.
    """
    return tabulate_predictions(labels if known else np.full(len(labels), np.nan), None, None)


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
            predicted, confidence, kind = predict_classes(np.concatenate(outputs), ends_linear(network), len(classes))
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
        save_predictions(snakemake.output.predictions, tables, names)
