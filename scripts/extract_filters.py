"""Extract the filters of the first convolution, so that their figure needs no TensorFlow."""

import numpy as np

from common.errors import UserError
from common.files import save_array
from common.logs import run_logged
from common.networks.graph import trace_all_calls
from common.networks.keras_setup import keras, use_devices
from common.networks.model_files import load_network


def first_filters(network: keras.Model) -> np.ndarray:
    """Return the kernel (height, width, channels, filters) of a network's first 2-D convolution, at any depth.

    Raises UserError if it has none.
    """
    for call in trace_all_calls(network).values():
        if isinstance(call.layer, keras.layers.Conv2D):
            return call.layer.get_weights()[0]
    raise UserError("The network has no convolution (Conv2D), so it has no filters to draw. Leave out their figure.")


if __name__ == "__main__":
    with run_logged(snakemake.log[0], "extract_filters"):
        use_devices(snakemake.threads)
        save_array(snakemake.output.filters, first_filters(load_network(snakemake.input.network)))
