"""Write the filters of the network's first convolution, so that the figure of them needs no TensorFlow."""

import numpy as np

from common.backend import load_network, use_devices
from common.files import whole
from common.jobs import job

if __name__ == "__main__":
    with job(snakemake.log[0], "extract_filters"), whole(snakemake.output.filters) as part:
        use_devices(snakemake.threads)
        kernel, _ = load_network(snakemake.input.network).get_layer("conv1_filters").get_weights()
        np.save(part, kernel)
