"""Put the places of all rows together, and say how the map was made."""

import json

import numpy as np

from common.arrays import load, load_json
from common.files import save_array, whole
from common.jobs import job

if __name__ == "__main__":
    with job(snakemake.log[0], f"gather_map {snakemake.wildcards.layer}"):
        coordinates = np.concatenate([load(path) for path in snakemake.input.parts])
        facts = load_json(snakemake.input.facts)
        facts |= {"landmarks": facts["images"], "images": len(coordinates)}
        save_array(snakemake.output.map, coordinates)
        with whole(snakemake.output.facts) as part:
            part.write_text(json.dumps(facts, indent=2) + "\n")
