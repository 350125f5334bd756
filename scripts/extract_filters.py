"""Write the filters of the network's first convolution, so that the figure of them needs no TensorFlow."""

import numpy as np

from common.backend import keras, use_devices
from common.files import save_array
from common.jobs import UserError, job
from common.model_files import load_network
from common.networks import all_calls


def first_filters(network: keras.Model) -> np.ndarray:
    """The kernel (height, width, channels, filters) of the first 2-D convolution of a network, at any depth.

    Raises UserError if it has none.
    """
    for call in all_calls(network).values():
        if isinstance(call.layer, keras.layers.Conv2D):
            return call.layer.get_weights()[0]
    raise UserError("the network has no convolution (Conv2D), and so no filters to draw: leave their figure out")


if __name__ == "__main__":
    with job(snakemake.log[0], "extract_filters"):
        use_devices(snakemake.threads)
        save_array(snakemake.output.filters, first_filters(load_network(snakemake.input.network)))
