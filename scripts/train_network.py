"""Train a network in Keras on TensorFlow."""

import logging
from pathlib import Path

import pandas as pd

from common.files import atomic_write, save_json
from common.inputs import load_classes, load_rows
from common.logs import run_logged
from common.networks.build import build_network
from common.networks.checkpoint import Checkpoint, checkpoint_folder, list_kept
from common.networks.keras_setup import tf, use_devices
from common.networks.schedule import describe_phase, fit_schedule
from common.networks.training import THREADS, shuffle, train_network
from common.provenance import provenance
from common.text import join_words

log = logging.getLogger("workflow")

DECLINE, DECLINED_IMAGES = 0.05, 5  # validation accuracy lost, as a share and as a count, from which a warning says so


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
        use_devices(THREADS, gpu=snakemake.resources.gpu > 0)
        log.info("on %s", "a GPU" if tf.config.get_visible_devices("GPU") else f"{THREADS} threads")
        train, validation = (
            load_rows(paths[f"{split}_images"], paths[f"{split}_labels"]) for split in ("train", "validation")
        )
        if params.shuffle_labels:
            train = train[0], shuffle(train[1], params.seed)
        settings = (params.model, paths.model, params.architecture, params.seed)
        network = build_network(*settings, train[0], len(load_classes(paths.classes)))
        schedule = fit_schedule(params.schedule, len(train[0]))
        log.info("%d images: %s", len(train[0]), join_words([describe_phase(phase) for phase in schedule]))
        output = Path(snakemake.output.network)
        checkpoint = Checkpoint(checkpoint_folder(output))
        kept = list_kept(output, map(int, snakemake.resources.kept_epochs.split("+")))
        network, history = train_network(
            network, train, validation, params.learning_rate, params.schedule, params.seed, checkpoint, kept
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
            "shuffled_labels": params.shuffle_labels,
            "schedule": schedule,
            "images": len(train[0]),
            "provenance": provenance(snakemake.wildcards.dataset, "tensorflow", "keras", "numpy"),
        }
        save_json(snakemake.output.record, record)
        checkpoint.delete()
