"""Concatenate the coordinates of all rows, and record how the embedding was made."""

import numpy as np

from common.files import save_array, save_json
from common.inputs import load_array, load_json
from common.logs import run_logged

if __name__ == "__main__":
    with run_logged(snakemake.log[0], f"gather_map {snakemake.wildcards.layer}"):
        coordinates = np.concatenate([load_array(path) for path in snakemake.input.parts])
        record = load_json(snakemake.input.record)
        save_array(snakemake.output.map, coordinates)
        save_json(snakemake.output.record, record | {"landmarks": record["images"], "images": len(coordinates)})
