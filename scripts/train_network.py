"""Train a network in Keras on TensorFlow."""

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from common.errors import UserError
from common.files import atomic_write, save_json
from common.inputs import load_classes, load_rows
from common.logs import run_logged
from common.networks.architectures import load_architecture
from common.networks.checkpoint import Checkpoint
from common.networks.keras_setup import keras, tf, use_devices
from common.networks.schedule import describe_phase, fit_schedule
from common.networks.user_model import build_user_model
from common.provenance import provenance
from common.text import join_words

log = logging.getLogger("workflow")

MEASURES = ("loss", "accuracy", "val_loss", "val_accuracy")
DECLINE, DECLINED_IMAGES = 0.05, 5  # validation accuracy lost, as a share and as a count, from which a warning says so


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


def train_network(
    network: keras.Model,
    train: tuple[np.ndarray, np.ndarray],
    validation: tuple[np.ndarray, np.ndarray],
    learning_rate: float,
    schedule: Sequence[Mapping[str, int]],
    seed: int,
    checkpoint: Checkpoint,
) -> tuple[keras.Model, pd.DataFrame]:
    """Return `network` after training with Adam on cross-entropy, and its history, one row an epoch.

    `train` and `validation` are images (n, height, width, channels) float32 and labels (n,) integers; `schedule` lists
    phases, which `fit_schedule` fits to the number of images. The columns of the history are epoch, batch_size, passes
    (over the images, in this epoch), loss, accuracy (running means over the epoch), val_loss and val_accuracy (after
    it; NaN without validation images). Each finished epoch is saved in the checkpoint. An interrupted run is resumed
    there and ends as it would have, since the order of the rows in an epoch depends only on the seed and the epoch.
    """
    work = (network.to_json(), learning_rate, schedule, seed, *train, *validation, keras.__version__, tf.__version__)
    network.compile(keras.optimizers.Adam(learning_rate), "sparse_categorical_crossentropy", metrics=["accuracy"])
    network, history = checkpoint.load(*work) or (network, [])
    if history:
        log.info("resumed after epoch %d", len(history))

    images, labels = map(tf.constant, train)
    validation_data = disable_autotuning(tf.data.Dataset.from_tensor_slices(validation).batch(1000))
    phases = [phase for phase in fit_schedule(schedule, len(labels)) for _ in range(phase["epochs"])]
    for epoch, phase in list(enumerate(phases, start=1))[len(history) :]:
        order = draw_order(len(labels), phase["passes"], seed, epoch)
        batches = make_batches(images, labels, phase["batch_size"], order)
        checked = {"validation_data": validation_data} if len(validation[0]) else {}
        result = network.fit(batches, shuffle=False, verbose=0, **checked)
        values = {measure: result.history.get(measure, [np.nan])[0] for measure in MEASURES}
        history.append({"epoch": epoch, "batch_size": phase["batch_size"], "passes": phase["passes"], **values})
        checkpoint.save(network, history)  # before it is logged, so that an epoch in the log is never trained again
        log.info("epoch %d: %s", epoch, ", ".join(f"{measure} {value:.4f}" for measure, value in values.items()))
    return network, pd.DataFrame(history)


def explain_decline(history: pd.DataFrame, images: int) -> str:
    """Return a warning if the accuracy on so many validation images has ended far below its best; "" if not."""
    best = history.val_accuracy.max()
    last = history.val_accuracy.iloc[-1]
    if not (best - last > DECLINE and (best - last) * images >= DECLINED_IMAGES):  # so for NaN, too
        return ""
    epoch = history.epoch[history.val_accuracy.idxmax()]
    return (
        f"warning: the validation accuracy is {last:.3f} after the last epoch, and was {best:.3f} after epoch {epoch}. "
        "Lower network.learning_rate, or give more epochs or smaller batches in network.schedule."
    )


if __name__ == "__main__":
    with run_logged(snakemake.log[0], "train_network"):
        params, paths = snakemake.params, snakemake.input
        use_devices(snakemake.threads, gpu=snakemake.resources.gpu > 0)
        log.info("on %s", "a GPU" if tf.config.get_visible_devices("GPU") else f"{snakemake.threads} threads")
        classes = load_classes(paths.classes)
        if not classes:
            raise UserError(
                "Training needs labels, and this data set has none. Give labels, or a trained model as network.model."
            )
        train, validation = (
            load_rows(paths[f"{split}_images"], paths[f"{split}_labels"]) for split in ("train", "validation")
        )
        keras.utils.set_random_seed(params.seed)
        if paths.model:
            network = build_user_model(paths.model, train[0], len(classes))
        else:
            network = load_architecture(params.model).build(train[0].shape[1:], len(classes), params.architecture)
        schedule = fit_schedule(params.schedule, len(train[0]))
        log.info("%d images: %s", len(train[0]), join_words([describe_phase(phase) for phase in schedule]))
        output = Path(snakemake.output.network)
        checkpoint = Checkpoint(output.with_name(f".checkpoint-{output.stem}"))
        network, history = train_network(
            network, train, validation, params.learning_rate, params.schedule, params.seed, checkpoint
        )
        with atomic_write(snakemake.output.network) as part:
            network.save(part)
        warning = explain_decline(history, len(validation[0]))
        if warning:
            log.warning(warning)
        with atomic_write(snakemake.output.history) as part:
            history.to_csv(part, index=False)
        record = {
            "parameters": network.count_params(),
            "seed": params.seed,
            "learning_rate": params.learning_rate,
            "schedule": schedule,
            "images": len(train[0]),
            "provenance": provenance(snakemake.wildcards.dataset, "tensorflow", "keras", "numpy"),
        }
        save_json(snakemake.output.record, record)
        checkpoint.delete()
