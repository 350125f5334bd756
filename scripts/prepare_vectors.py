"""Read vectors as the features of a layer."""

from common.inputs import load_array
from common.logs import run_logged
from common.readers.vectors import find_files, stream_vectors, write_splits

if __name__ == "__main__":
    with run_logged(snakemake.log[0], f"prepare_vectors {snakemake.wildcards.layer}"):
        vectors = {split: stream_vectors(path) for split, path in find_files(snakemake.input, "vectors").items()}
        write_splits(vectors, load_array(snakemake.input.rows), snakemake.output.features)
