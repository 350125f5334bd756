"""Write the filters of the network's first convolution, so that the figure of them needs no TensorFlow."""

import numpy as np

from common.backend import keras, load_network, use_devices
from common.files import whole
from common.jobs import UserError, job
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
    with job(snakemake.log[0], "extract_filters"), whole(snakemake.output.filters) as part:
        use_devices(snakemake.threads)
        np.save(part, first_filters(load_network(snakemake.input.network)))
