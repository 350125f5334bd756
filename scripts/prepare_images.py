"""Read the images of vectors, one for each row."""

from common.inputs import load_array
from common.logs import run_logged
from common.readers import check_images
from common.readers.row_images import stream_image_files
from common.readers.vectors import count_rows, find_files, stream_vectors, write_splits

if __name__ == "__main__":
    with run_logged(snakemake.log[0], f"prepare_images {snakemake.wildcards.dataset}"):
        paths, options = snakemake.input, snakemake.params.folder_options
        images = {split: stream_image_files(path, options) for split, path in find_files(paths, "images").items()}
        check_images(images)
        for split, files in find_files(paths, "vectors").items():
            count_rows([stream_vectors(files[0]), images[split]])
        write_splits(images, load_array(paths.rows), snakemake.output.images)
