"""Build the explorer: one page that shows the maps of all layers and works without a server or a network."""

import gzip
import json
import re
from base64 import b64encode
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.colors import to_hex

from common.errors import UserError, rebuild_hint, report_corrupt_file
from common.explorer.rows import choose_rows, renumber
from common.explorer.sprite_sheets import make_sprite_sheets
from common.figures.maps import find_frame
from common.figures.palette import class_colors
from common.files import SCRIPTS, save_text
from common.inputs import load_array, load_classes, load_json, load_npz
from common.logs import run_logged
from common.names import SPLITS
from common.provenance import provenance
from common.provenance_text import describe_provenance
from common.row_names import COLUMNS

PAGE = SCRIPTS / "explorer"  # the folder of explorer.html and the files that it names
NAMED_FILE = re.compile(r'<link rel="stylesheet" href="([^"]+)">|<script src="([^"]+)"></script>')
DATA_ELEMENT = '<script type="application/json" id="data">{}</script>'
NEIGHBORS = 10  # the nearest neighbors that the page shows for each image
MAX_ROWS = 100_000  # of the page
MAX_PLACES = 900_000  # of rows in maps, with which the page is below 40 MB
PREDICTED = ["prediction", "confidence", "prediction_depth"]  # columns of maps.csv
TEXTS = (*COLUMNS, "text")  # what is known of a row in words


@dataclass(frozen=True)
class Embedding:
    """A map of the page: of a layer after an epoch, or after the last one, which is None."""

    layer: str
    epoch: int | None
    coordinates: np.ndarray  # (n, 2), of all images
    neighbors: np.ndarray  # (n, k), the nearest training images in the features, nearest first


def pack_array(array: np.ndarray) -> dict[str, str]:
    """Return unsigned integers for JSON: the name of their type, and base64 of gzip of them in little-endian order."""
    content = gzip.compress(array.astype(array.dtype.newbyteorder("<")).tobytes(), mtime=0)
    return {"type": array.dtype.name, "bytes": b64encode(content).decode()}


def shrink_integers(array: np.ndarray) -> np.ndarray:
    """Return non-negative integers in the smallest unsigned type that holds them, of at most 32 bits."""
    return array.astype(np.min_scalar_type(array.max(initial=0)))


def compute_median(coordinates: np.ndarray) -> list[float] | None:
    """Return the median of coordinates (n, 2), or None if there are none, as for a class without images."""
    return np.median(coordinates, axis=0).round(4).tolist() if len(coordinates) else None


def scale_map(coordinates: np.ndarray) -> np.ndarray:
    """Return the coordinates of a map (n, 2) scaled to the frame that the figures show, in (-1, 1) float64."""
    center, side = find_frame(coordinates)
    return (coordinates - center) / (side / 2)


def load_maps(path: str, classes: Sequence[str]) -> pd.DataFrame:
    """Return the table maps.csv with its labels, predictions and votes as indices of `classes`.

    Without classes it has neither. Predictions are left out, too, if the column is empty; they may have no confidence.
    Raises UserError if the file is damaged.
    """
    with report_corrupt_file(path):
        # Classes are read as text, since a class may be called 01 or nan.
        votes = [name for name in pd.read_csv(path, nrows=0).columns if name.endswith("_knn")]
        texts = dict.fromkeys(("split", "label", "prediction", "prediction_depth", *votes, *COLUMNS), str)
        maps = pd.read_csv(path, dtype=texts, keep_default_na=False, na_values={"confidence": [""]})
        if "prediction" in maps and (not classes or not maps.prediction.any()):
            maps = maps.drop(columns=PREDICTED, errors="ignore")
        if not classes:
            return maps.drop(columns=["label", *votes], errors="ignore")
        for name in maps.columns.intersection(["label", "prediction", *votes]):
            indices = pd.Index(classes).get_indexer(maps[name])
            if (indices < 0).any():
                raise ValueError(f"its {name} {maps[name][indices < 0].iloc[0]!r} is none of the classes")
            maps[name] = indices
    return maps


def read_embeddings(
    states: Sequence[Mapping[str, Any]], maps: Sequence[str], neighbors: Sequence[str], count: int
) -> list[Embedding]:
    """Return the embeddings of some states, which have `layer` and `epoch`, in their order.

    `maps` and `neighbors` are the files of the coordinates and of the neighbors of all states, those of each split.
    Raises UserError if a file is damaged, or if those of a state have not `count` rows.
    """
    found = []
    for state, map_files, files in zip(
        states, chunked(maps, len(SPLITS)), chunked(neighbors, len(SPLITS)), strict=True
    ):
        coordinates = np.concatenate([load_array(path) for path in map_files])
        nearest = np.concatenate([load_npz(path)["indices"][:, :NEIGHBORS] for path in files])
        check_rows(map_files, len(coordinates), count)
        check_rows(files, len(nearest), count)
        found.append(Embedding(state["layer"], state["epoch"], coordinates, nearest))
    return found


def chunked(paths: Sequence[str], size: int) -> Iterator[Sequence[str]]:
    """Yield the paths in groups of so many."""
    return (paths[start : start + size] for start in range(0, len(paths), size))


def check_rows(paths: Sequence[str], count: int, expected: int) -> None:
    """Raise UserError if some files have not as many rows as maps.csv."""
    if count != expected:
        raise UserError(f"{' and '.join(paths)} have {count} rows, maps.csv has {expected}. {rebuild_hint(*paths)}")


def pack_facts(maps: pd.DataFrame, labels: np.ndarray, depths: Sequence[str]) -> dict[str, dict[str, str]]:
    """Return what is known of each row of maps.csv as packed arrays by name; the labels (n,) are those of the rows."""
    arrays = {"label": pack_array(shrink_integers(labels))}
    for column in maps.columns.intersection(TEXTS):
        arrays[column] = pack_array(np.frombuffer(json.dumps(maps[column].tolist()).encode(), np.uint8))
    if "prediction" in maps:
        arrays["prediction"] = pack_array(shrink_integers(maps.prediction.to_numpy()))
        if "confidence" in maps:
            confidence = np.rint(maps.confidence.to_numpy() * 10_000).astype(np.uint16)  # in hundredths of a percent
            arrays["confidence"] = pack_array(confidence)
        if "prediction_depth" in maps:
            arrays["depth"] = pack_array(shrink_integers(pd.Index(depths).get_indexer(maps.prediction_depth)))
    return arrays


def pack_embeddings(
    embeddings: Sequence[Embedding], rows: np.ndarray, maps: pd.DataFrame, labels: np.ndarray, n_classes: int
) -> tuple[dict[str, dict[str, str]], list[list[list[float] | None]]]:
    """Return the coordinates, neighbors and votes of some rows (m,) as packed arrays by name, and medians by class.

    `maps` and `labels` (m,) are those of the rows.
    """
    arrays, medians = {}, []
    train_rows = rows[(maps.split == "train").to_numpy()]
    for number, embedding in enumerate(embeddings):
        coordinates = scale_map(embedding.coordinates)[rows]
        medians.append([compute_median(coordinates[labels == label]) for label in range(n_classes)])
        for axis, values in zip("xy", np.rint((coordinates.T + 1) / 2 * 65_535).astype(np.uint16), strict=True):
            arrays[f"{axis}{number}"] = pack_array(values)
        neighbors = renumber(embedding.neighbors[rows], train_rows)
        arrays[f"neighbors{number}"] = pack_array(shrink_integers(neighbors))
        if n_classes and embedding.epoch is None and f"{embedding.layer}_knn" in maps:
            arrays[f"votes{number}"] = pack_array(shrink_integers(maps[f"{embedding.layer}_knn"].to_numpy()))
    return arrays, medians


def make_page_data(
    dataset: str,
    palette: str | Sequence[str],
    classes: Sequence[str],
    maps: pd.DataFrame,
    images: Sequence[np.ndarray],
    embeddings: Sequence[Embedding],
    made_by: str = "",
) -> dict[str, Any]:
    """Return what the page needs to know, for JSON; data.js reads it.

    `maps` is the table that load_maps returns. `images` holds the images of each split,
    (n, height, width, 1 or 3) with values in [0, 1], or nothing. The `embeddings` after the last epoch come first, in
    the order of the layers. `made_by` says what made the page. Of more than MAX_ROWS rows, or with more than MAX_PLACES
    in all maps, the page has a sample.
    """
    rows = choose_rows(maps, min(MAX_ROWS, MAX_PLACES // len(embeddings)))
    total, maps = len(maps), maps.iloc[rows]
    ids = {split: maps.id.to_numpy()[(maps.split == split).to_numpy()] for split in SPLITS}
    labels = maps.label.to_numpy() if classes else np.zeros(len(maps), int)
    depths = [*(embedding.layer for embedding in embeddings if embedding.epoch is None), "network"]
    arrays, medians = pack_embeddings(embeddings, rows, maps, labels, len(classes))
    arrays |= pack_facts(maps, labels, depths)
    if len(rows) < total:
        arrays["id"] = pack_array(maps.id.to_numpy(np.uint32))
        images = [part[ids[split]] for split, part in zip(SPLITS, images, strict=False)]
    side, (height, width), sheets = make_sprite_sheets(images) if images else (0, (0, 0), [])
    return {
        "dataset": dataset,
        "maps": [{"layer": embedding.layer, "epoch": embedding.epoch} for embedding in embeddings],
        "classes": list(classes),
        "colors": [to_hex(color) for color in class_colors(palette, len(classes))],
        "medians": medians,  # of the coordinates of each class, by map
        "predicted": "prediction" in maps,
        "depths": depths,  # the prediction depths that there can be
        "texts": [column for column in TEXTS if column in maps],  # what is known of each row in words
        "splits": {split: len(found) for split, found in ids.items()},
        "rows": total,  # of the data set; the page has a sample if there are more than `splits` has
        "nearest": embeddings[0].neighbors.shape[1],
        "gray": bool(images) and images[0].shape[3] == 1,
        "size": [width, height] if images else None,
        "side": side,  # images per row and per column of a sheet
        "sheets": sheets,
        "made": made_by,
        "arrays": arrays,
    }


def build_explorer(data: Mapping[str, Any], sources: Path = PAGE) -> str:
    """Return the page as one text: explorer.html with every file that it names, and the data, written into it.

    Raises FileNotFoundError if a file is missing, and ValueError if explorer.html has no place for the data.
    """

    def inline_file(found: re.Match) -> str:
        name = found[1] or found[2]
        if not (sources / name).is_file():
            raise FileNotFoundError(f"{sources / 'explorer.html'} names {name}, which is not there")
        tag = "style" if found[1] else "script"
        return f"<{tag}>\n{(sources / name).read_text()}</{tag}>"

    page = (sources / "explorer.html").read_text()
    if DATA_ELEMENT.format("") not in page:
        raise ValueError(f"{sources / 'explorer.html'} has no {DATA_ELEMENT.format('')}")
    page = NAMED_FILE.sub(inline_file, page)
    # Each "<" is escaped, so that no name in the data can end the script.
    stored = json.dumps(data, separators=(",", ":"), allow_nan=False).replace("<", "\\u003c")
    return page.replace(DATA_ELEMENT.format(""), DATA_ELEMENT.format(stored), 1)


if __name__ == "__main__":
    with run_logged(snakemake.log[0], "build_explorer"):
        given, params = snakemake.input, snakemake.params
        classes = load_classes(given.classes)
        table = load_maps(given.table, classes)
        if not params.with_predictions:
            table = table.drop(columns=PREDICTED, errors="ignore")
        texts = [load_json(path) for path in given.texts]
        if texts:
            check_rows(given.texts, sum(map(len, texts)), len(table))
            table["text"] = [text for found in texts for text in found]
        images = [load_array(path) for path in given.images]
        if images:
            check_rows(given.images, sum(map(len, images)), len(table))
        embeddings = read_embeddings(params.states, given.maps, given.neighbors, len(table))
        made_by = describe_provenance(provenance(params.name))
        data = make_page_data(params.name, params.palette, classes, table, images, embeddings, made_by)
        save_text(snakemake.output.page, build_explorer(data))
