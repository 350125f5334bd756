"""Train the CNN of the notebook, in Keras on TensorFlow."""

import logging
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from common.backend import keras, tf, use_devices
from common.files import whole
from common.jobs import UserError, job

layers = keras.layers
log = logging.getLogger("workflow")

MEASURES = ("loss", "accuracy", "val_loss", "val_accuracy")


def build_network(image_shape: Sequence[int], classes: int) -> keras.Model:
    """The network of the notebook: images (n, height, width, channels) -> class probabilities (n, classes).

    The outputs of its layers named conv1, conv2 and dense3 are the features of those names. Batch normalization is
    Lasagne's: running averages with factor 0.1, epsilon 1e-4.
    """

    def normalized(tensor: keras.KerasTensor, name: str) -> keras.KerasTensor:
        return layers.BatchNormalization(momentum=0.9, epsilon=1e-4, name=f"{name}_norm")(tensor)

    def convolution(tensor: keras.KerasTensor, name: str, filters: int) -> keras.KerasTensor:
        bias = keras.initializers.Constant(0.05)
        tensor = layers.Conv2D(filters, 5, padding="same", bias_initializer=bias, name=f"{name}_filters")(tensor)
        tensor = layers.ReLU(name=f"{name}_relu")(normalized(tensor, name))
        return layers.MaxPooling2D(2, name=name)(tensor)

    images = keras.Input(tuple(image_shape), name="pixel")
    tensor = convolution(images, "conv1", 20)
    tensor = convolution(tensor, "conv2", 40)
    tensor = layers.Dense(200, name="dense3_weights")(layers.Flatten(name="flat")(tensor))
    tensor = layers.ReLU(name="dense3")(normalized(tensor, "dense3"))
    return keras.Model(images, layers.Dense(classes, activation="softmax", name="softmax")(tensor))


def batches(images: np.ndarray, labels: np.ndarray, size: int, seed: int) -> tf.data.Dataset:
    """Whole batches of `size` rows, newly shuffled each epoch; an incomplete last batch is dropped.

    Raises UserError if the rows do not fill one batch.
    """
    if size > len(labels):
        raise UserError(f"network.schedule: {len(labels)} training images do not fill a batch of {size}")
    images, labels = tf.constant(images), tf.constant(labels)
    rows = tf.data.Dataset.range(len(labels)).shuffle(len(labels), seed=seed).batch(size, drop_remainder=True)
    return rows.map(lambda chosen: (tf.gather(images, chosen), tf.gather(labels, chosen))).prefetch(2)


class EpochLog(keras.callbacks.Callback):
    """A line in the log for each epoch."""

    def on_epoch_end(self, epoch: int, logs: Mapping[str, float] | None = None) -> None:
        """Called by Keras."""
        values = ", ".join(f"{measure} {logs[measure]:.4f}" for measure in MEASURES)
        log.info("epoch %d: %s", epoch + 1, values)


def train_network(
    network: keras.Model,
    train: tuple[np.ndarray, np.ndarray],
    validation: tuple[np.ndarray, np.ndarray],
    learning_rate: float,
    schedule: Sequence[Mapping[str, int]],
    seed: int,
) -> pd.DataFrame:
    """Train `network` in place with Adam on cross-entropy, and return its history, a row an epoch.

    `train` and `validation` are images (n, height, width, channels) float32 and labels (n,) integers; `schedule` lists
    phases of so many `epochs` with batches of `batch_size`. The history's columns: epoch, batch_size, loss, accuracy
    (running means over the epoch), val_loss, val_accuracy (after it).
    """
    network.compile(keras.optimizers.Adam(learning_rate), "sparse_categorical_crossentropy", metrics=["accuracy"])
    history, done = [], 0
    for phase in schedule:
        result = network.fit(
            batches(*train, phase["batch_size"], seed + done),
            validation_data=tf.data.Dataset.from_tensor_slices(validation).batch(1000),
            initial_epoch=done,
            epochs=done + phase["epochs"],
            callbacks=[EpochLog()],
            verbose=0,
        )
        numbers = {"epoch": range(done + 1, done + 1 + phase["epochs"]), "batch_size": phase["batch_size"]}
        history.append(pd.DataFrame(numbers | result.history))
        done += phase["epochs"]
    return pd.concat(history, ignore_index=True)[["epoch", "batch_size", *MEASURES]]


if __name__ == "__main__":
    with job(snakemake.log[0], "train_network"):
        params = snakemake.params
        use_devices(snakemake.threads, gpu=snakemake.resources.gpu > 0)
        log.info("on %s", "a GPU" if tf.config.get_visible_devices("GPU") else f"{snakemake.threads} threads")
        keras.utils.set_random_seed(params.seed)
        train, validation = (
            (np.load(snakemake.input[f"{split}_images"]), np.load(snakemake.input[f"{split}_labels"]))
            for split in ("train", "validation")
        )
        network = build_network(train[0].shape[1:], classes=int(train[1].max()) + 1)
        history = train_network(network, train, validation, params.learning_rate, params.schedule, params.seed)
        with whole(snakemake.output.network) as part:
            network.save(part)
        with whole(snakemake.output.history) as part:
            history.to_csv(part, index=False)
