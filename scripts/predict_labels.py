"""Ask the network what each image shows, training, validation and test images alike."""

import logging

import numpy as np
import pandas as pd

from common.arrays import load_classes, load_rows
from common.backend import keras, use_devices
from common.files import whole
from common.jobs import job
from common.model_files import load_network
from common.networks import batch_size, why_no_classes

log = logging.getLogger("workflow")


def predict_labels(network: keras.Model, images: np.ndarray, labels: np.ndarray) -> pd.DataFrame:
    """A row an image, in the order of `images` (n, height, width, channels) and `labels` (n,); n may be 0.

    Columns: id (the row's number), label, prediction (the class that the network finds most probable) and confidence
    (how probable, in (0, 1]). The network's output is a probability for each class.
    """
    size = batch_size(network)
    found = [network.predict_on_batch(images[start : start + size]) for start in range(0, len(images), size)]
    probabilities = np.concatenate([np.zeros((0, network.output_shape[1]), np.float32), *found])
    return pd.DataFrame(
        {
            "id": np.arange(len(labels)),
            "label": labels,
            "prediction": probabilities.argmax(axis=1),
            "confidence": probabilities.max(axis=1),
        }
    )


def without_predictions(labels: np.ndarray, known: bool) -> pd.DataFrame:
    """The same of a network that does not predict these classes: nothing in prediction and confidence.

    Nor in label, if the labels are not `known`.
    """
    nothing = np.full(len(labels), np.nan)
    label = labels if known else nothing
    return pd.DataFrame({"id": np.arange(len(labels)), "label": label, "prediction": nothing, "confidence": nothing})


if __name__ == "__main__":
    with job(snakemake.log[0], "predict_labels"):
        use_devices(snakemake.threads)
        network = load_network(snakemake.input.network)
        classes = load_classes(snakemake.input.classes)
        splits = {
            split: load_rows(images, labels)
            for split, images, labels in zip(
                snakemake.params.splits, snakemake.input.images, snakemake.input.labels, strict=True
            )
        }
        why_not = "there are no labels"
        if classes:
            why_not = why_no_classes(network, splits["train"][0], len(classes))
        if why_not:
            log.info("the network predicts no labels: %s", why_not)
        tables = []
        for split, (images, labels) in splits.items():
            if why_not:
                table = without_predictions(labels, known=bool(classes))
            else:
                table = predict_labels(network, images, labels)
                right = (table.prediction == table.label).sum()
                log.info("%s: %d of %d are right", split, right, len(table))
            table.insert(0, "split", split)
            tables.append(table)
        with whole(snakemake.output.predictions) as part:
            pd.concat(tables).to_csv(part, index=False, float_format="%.5g")
