"""The training of a network in Keras on TensorFlow."""

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from common.networks.checkpoint import Checkpoint, load_checkpoint
from common.networks.keras_setup import keras, tf
from common.networks.schedule import fit_schedule
from common.text import count_noun

log = logging.getLogger("workflow")

THREADS = 2  # of TensorFlow: with another number, the weights differ in their last digits
MEASURES = ("loss", "accuracy", "val_loss", "val_accuracy")


def disable_autotuning(dataset: tf.data.Dataset) -> tf.data.Dataset:
    """Return the dataset without tf.data's autotuning, which has nothing to tune here and can delay its end.

    Autotuning sleeps for 10 ms, 20 ms and so on, in total 10.2 s after ten times, and is not always woken: an epoch
    then ends 10.2 s or 20.5 s after its start, however short it is (TensorFlow 2.19).
    """
    options = tf.data.Options()
    options.autotune.enabled = False
    return dataset.with_options(options)


def make_batches(images: tf.Tensor, labels: tf.Tensor, size: int, order: np.ndarray) -> tf.data.Dataset:
    """Return batches of `size` rows in this order of rows; an incomplete last batch is dropped."""
    rows = tf.data.Dataset.from_tensor_slices(order).batch(size, drop_remainder=True)
    return disable_autotuning(
        rows.map(lambda chosen: (tf.gather(images, chosen), tf.gather(labels, chosen))).prefetch(2)
    )


def draw_order(rows: int, passes: int, seed: int, epoch: int) -> np.ndarray:
    """Return the row numbers of an epoch of so many passes, (passes * rows,), each pass in a random order."""
    generator = np.random.default_rng([seed, epoch])
    return np.concatenate([generator.permutation(rows) for _ in range(passes)])


def shuffle(labels: np.ndarray, seed: int) -> np.ndarray:
    """Return labels (n,) in a random order: each class keeps its number of images, and the images say nothing of it."""
    shuffled = np.random.default_rng([seed, *b"labels"]).permutation(labels)
    log.info("trained on shuffled labels: %.1f %% are right, by chance", 100 * np.mean(shuffled == labels))
    log.debug("these labels, in the order of the images: %s", " ".join(map(str, shuffled)))
    return shuffled


def train_network(
    network: keras.Model,
    train: tuple[np.ndarray, np.ndarray],
    validation: tuple[np.ndarray, np.ndarray],
    learning_rate: float,
    schedule: Sequence[Mapping[str, int]],
    seed: int,
    checkpoint: Checkpoint,
    kept: Mapping[int, Path] | None = None,
    last: int | None = None,
    earlier: Sequence[Path] = (),
) -> tuple[keras.Model, pd.DataFrame]:
    """Return `network` after training with Adam on cross-entropy, and its history, one row an epoch.

    `train` and `validation` are images (n, height, width, channels) float32 and labels (n,) integers; `schedule` lists
    phases, which `fit_schedule` fits to the number of images. The columns of the history are epoch, batch_size, passes
    (over the images, in this epoch), loss, accuracy (running means over the epoch), val_loss and val_accuracy (after
    it; NaN without validation images). Each finished epoch is saved in the checkpoint. An interrupted run is resumed
    there and ends as it would have, since the order of the rows in an epoch depends only on the seed and the epoch.

    `kept` has folders by epoch, to which the checkpoint is copied after that epoch. `last` is the epoch after which
    training ends, if it is not the last one of the schedule. Training begins with the checkpoint of the latest epoch in
    the folders `earlier`, if there is one.
    """
    phases = [phase for phase in fit_schedule(schedule, len(train[1])) for _ in range(phase["epochs"])]
    kept, last = kept or {}, last or len(phases)
    work = (network.to_json(), learning_rate, schedule, seed, *train, *validation, keras.__version__, tf.__version__)
    network.compile(keras.optimizers.Adam(learning_rate), "sparse_categorical_crossentropy", metrics=["accuracy"])
    found = [checkpoint.load(*work)]
    found += [load_checkpoint(folder, checkpoint.work) for folder in earlier]
    network, history = max(filter(None, found), key=lambda state: len(state[1]), default=(network, []))
    if history:
        log.info("resumed after epoch %d", len(history))
    if len(history) < last < len(phases):
        todo = count_noun(last - len(history), "epoch")
        log.info("epoch %d was not kept: training %s again, of %d", last, todo, len(phases))

    images, labels = map(tf.constant, train)
    validation_data = disable_autotuning(tf.data.Dataset.from_tensor_slices(validation).batch(1000))
    for epoch, phase in list(enumerate(phases, start=1))[len(history) : last]:
        order = draw_order(len(labels), phase["passes"], seed, epoch)
        batches = make_batches(images, labels, phase["batch_size"], order)
        checked = {"validation_data": validation_data} if len(validation[0]) else {}
        result = network.fit(batches, shuffle=False, verbose=0, **checked)
        values = {measure: result.history.get(measure, [np.nan])[0] for measure in MEASURES}
        history.append({"epoch": epoch, "batch_size": phase["batch_size"], "passes": phase["passes"], **values})
        checkpoint.save(network, history)  # before it is logged, so that an epoch in the log is never trained again
        if epoch in kept:
            checkpoint.copy(kept[epoch])
        log.info("epoch %d: %s", epoch, ", ".join(f"{measure} {value:.4f}" for measure, value in values.items()))
    return network, pd.DataFrame(history)
