"""Measure how similar layers represent the images: to each other, before and after training, between networks."""

from common.files import atomic_write
from common.inputs import load_array, load_rows
from common.logs import run_logged
from common.scoring.similarity_table import choose_rows, tabulate_similarity

if __name__ == "__main__":
    with run_logged(snakemake.log[0], "measure_similarity"):
        paths, params = snakemake.input, snakemake.params
        rows = choose_rows(len(load_array(paths.labels)))
        features = [load_rows(path, paths.labels)[0][rows] for path in paths.features]
        table = tabulate_similarity(features, params.states, snakemake.resources.block_mb, snakemake.threads)
        with atomic_write(snakemake.output.table) as part:
            table.to_csv(part, index=False, float_format="%.6g")
