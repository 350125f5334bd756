"""Make a network before training: the control that tells what it has learned from what its architecture gives."""

import logging

from common.errors import as_user_error
from common.files import atomic_write, save_json
from common.inputs import load_array, load_classes
from common.logs import run_logged
from common.networks.build import build_network
from common.networks.initial import count_images, reset_weights, set_normalization
from common.networks.keras_setup import use_devices
from common.networks.model_files import load_network
from common.provenance import provenance

log = logging.getLogger("workflow")

if __name__ == "__main__":
    with run_logged(snakemake.log[0], "initialize_network"):
        use_devices(snakemake.threads)
        paths, params = snakemake.input, snakemake.params
        images, classes = load_array(paths.train_images), load_classes(paths.classes)
        if paths.network:
            remedy = "Set network.checkpoints: [] to do without the control."
            with as_user_error(lambda reason: f"{params.model} cannot get new weights: {reason}. {remedy}"):
                network = reset_weights(load_network(paths.network), params.seed)
        else:
            settings = (params.model, paths.model, params.architecture, params.seed)
            network = build_network(*settings, images, len(classes))
        count = count_images(network, len(images))
        normalized = set_normalization(network, images[:count])
        log.info("averages of %d layers of batch normalization from %d training images", normalized, count)
        with atomic_write(snakemake.output.network) as part:
            network.save(part)
        record = {
            "parameters": network.count_params(),
            "seed": params.seed,
            "epoch": 0,
            "normalized_layers": normalized,
            "images": count if normalized else 0,
            "provenance": provenance(snakemake.wildcards.dataset, "tensorflow", "keras", "numpy"),
        }
        save_json(snakemake.output.record, record)
