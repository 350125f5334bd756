"""Make a network as it was after an epoch: from the checkpoint that its training kept, or by training it again."""

import logging
from pathlib import Path

from common.files import atomic_write, save_json
from common.inputs import load_classes, load_rows
from common.logs import run_logged
from common.networks.build import build_network
from common.networks.checkpoint import Checkpoint, list_kept
from common.networks.keras_setup import use_devices
from common.networks.training import THREADS, shuffle, train_network
from common.provenance import provenance

log = logging.getLogger("workflow")

if __name__ == "__main__":
    with run_logged(snakemake.log[0], "restore_network"):
        params, paths = snakemake.params, snakemake.input
        use_devices(THREADS, gpu=snakemake.resources.gpu > 0)
        train, validation = (
            load_rows(paths[f"{split}_images"], paths[f"{split}_labels"]) for split in ("train", "validation")
        )
        if params.shuffle_labels:
            train = train[0], shuffle(train[1], params.seed)
        settings = (params.model, paths.model, params.architecture, params.seed)
        network = build_network(*settings, train[0], len(load_classes(paths.classes)))
        kept = list_kept(Path(paths.network), range(1, params.epoch + 1))
        network, _ = train_network(
            network,
            train,
            validation,
            params.learning_rate,
            params.schedule,
            params.seed,
            Checkpoint(kept.pop(params.epoch)),
            last=params.epoch,
            earlier=list(kept.values()),
        )
        with atomic_write(snakemake.output.network) as part:
            network.save(part)
        record = {
            "parameters": network.count_params(),
            "seed": params.seed,
            "epoch": params.epoch,
            "images": len(train[0]),
            "provenance": provenance(snakemake.wildcards.dataset, "tensorflow", "keras", "numpy"),
        }
        save_json(snakemake.output.record, record)
