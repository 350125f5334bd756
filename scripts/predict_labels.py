"""Ask the network what each image shows, training, validation and test images alike."""

import logging

import numpy as np
import pandas as pd

from common.arrays import load_rows
from common.backend import keras, load_network, use_devices
from common.files import whole
from common.jobs import job

log = logging.getLogger("workflow")

BATCH_SIZE = 1000


def predict_labels(network: keras.Model, images: np.ndarray, labels: np.ndarray) -> pd.DataFrame:
    """A row an image, in the order of `images` (n, height, width, channels) and `labels` (n,).

    Columns: id (the row's number), label, prediction (the class that the network finds most probable) and confidence
    (how probable, in (0, 1]).
    """
    starts = range(0, len(images), BATCH_SIZE)
    found = [network.predict_on_batch(images[start : start + BATCH_SIZE]) for start in starts]
    probabilities = np.concatenate(found)
    return pd.DataFrame(
        {
            "id": np.arange(len(labels)),
            "label": labels,
            "prediction": probabilities.argmax(axis=1),
            "confidence": probabilities.max(axis=1),
        }
    )


if __name__ == "__main__":
    with job(snakemake.log[0], "predict_labels"):
        use_devices(snakemake.threads)
        network = load_network(snakemake.input.network)
        tables = []
        for split, images, labels in zip(
            snakemake.params.splits, snakemake.input.images, snakemake.input.labels, strict=True
        ):
            table = predict_labels(network, *load_rows(images, labels))
            log.info("%s: %.4f of %d are right", split, (table.prediction == table.label).mean(), len(table))
            table.insert(0, "split", split)
            tables.append(table)
        with whole(snakemake.output.predictions) as part:
            pd.concat(tables).to_csv(part, index=False, float_format="%.5g")
