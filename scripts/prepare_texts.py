"""Read a text for each row of vectors, for the explorer."""

import logging
from collections.abc import Sequence

from common.files import save_json
from common.inputs import load_array
from common.logs import run_logged
from common.names import SPLITS
from common.readers.ids import read_ids
from common.readers.label_files import read_column, read_text
from common.readers.labels import check_count
from common.readers.vectors import find_column, find_files, stream_vectors

log = logging.getLogger("workflow")

MAX_LENGTH = 500  # characters; of longer texts, the explorer has the beginning


def read_texts(path: str, count: int, column: str | None) -> list[str]:
    """Return the texts of `count` rows, from a column of a table or a file that read_ids reads; some may be empty.

    Raises UserError if there is another number of them.
    """
    if column is None:
        return read_ids(path, count, "texts").tolist()
    texts = [text for _, text in read_column(path, read_text(path), column)]
    check_count(path, len(texts), "line", count, "vector")
    return texts


def shorten(texts: Sequence[str], split: str) -> list[str]:
    """Return the texts of a split, those of more than MAX_LENGTH characters cut there; the log says how many."""
    long = sum(len(text) > MAX_LENGTH for text in texts)
    if long:
        log.info("%s: %d texts are cut after %d characters", split, long, MAX_LENGTH)
    return [text if len(text) <= MAX_LENGTH else f"{text[:MAX_LENGTH]}…" for text in texts]


if __name__ == "__main__":
    with run_logged(snakemake.log[0], f"prepare_texts {snakemake.wildcards.dataset}"):
        paths, columns = snakemake.input, snakemake.params.columns
        files, given = (find_files(paths, name) for name in ("vectors", "text"))
        for split, output in zip(SPLITS, snakemake.output.texts, strict=True):
            texts = []
            if split in given:
                count = stream_vectors(files[split][0]).shape[0]
                texts = read_texts(given[split], count, find_column(columns, split, "text"))
            if split == "train":
                texts = [texts[row] for row in load_array(paths.rows)]
            save_json(output, shorten(texts, split), indent=None)
