"""Build the explorer: one page that shows the maps of all layers and works without a server or a network."""

import gzip
import json
import re
from base64 import b64encode
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.colors import to_hex

from common.errors import UserError, rebuild_hint, report_corrupt_file
from common.explorer.sprite_sheets import make_sprite_sheets
from common.figures.maps import find_frame
from common.figures.palette import class_colors
from common.files import SCRIPTS, save_text
from common.inputs import load_array, load_classes, load_npz
from common.logs import run_logged
from common.names import SPLITS
from common.provenance import provenance
from common.provenance_text import describe_provenance
from common.row_names import COLUMNS

PAGE = SCRIPTS / "explorer"  # the folder of explorer.html and the files that it names
NAMED_FILE = re.compile(r'<link rel="stylesheet" href="([^"]+)">|<script src="([^"]+)"></script>')
DATA_ELEMENT = '<script type="application/json" id="data">{}</script>'
NEIGHBORS = 10  # the nearest neighbors that the page shows for each image


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
            maps = maps.drop(columns=["prediction", "confidence", "prediction_depth"], errors="ignore")
        if not classes:
            return maps.drop(columns=["label", *votes], errors="ignore")
        for name in maps.columns.intersection(["label", "prediction", *votes]):
            indices = pd.Index(classes).get_indexer(maps[name])
            if (indices < 0).any():
                raise ValueError(f"its {name} {maps[name][indices < 0].iloc[0]!r} is none of the classes")
            maps[name] = indices
    return maps


def read_tables(
    maps_path: str,
    classes: Sequence[str],
    image_paths: Sequence[str],
    neighbor_paths: Mapping[str, Sequence[str]],
) -> tuple[pd.DataFrame, list[np.ndarray], dict[str, np.ndarray]]:
    """Return the maps, the images and the neighbors as make_page_data takes them.

    The paths are by split, in the order of SPLITS. Without `image_paths` there are no images. Raises UserError if a
    file is damaged, or if its rows are not as many as those of maps.csv.
    """
    maps = load_maps(maps_path, classes)
    images = [load_array(path) for path in image_paths]
    neighbors = {}
    for layer, paths in neighbor_paths.items():
        neighbors[layer] = np.concatenate([load_npz(path)["indices"][:, :NEIGHBORS] for path in paths])
    counts = {tuple(image_paths): sum(map(len, images))} if images else {}
    counts |= {tuple(neighbor_paths[layer]): len(rows) for layer, rows in neighbors.items()}
    for paths, count in counts.items():
        if count != len(maps):
            names = " and ".join(paths)
            raise UserError(
                f"{maps_path} has {len(maps)} rows, {names} have {count}. {rebuild_hint(maps_path, *paths)}"
            )
    return maps, images, neighbors


def make_page_data(
    dataset: str,
    layers: Sequence[str],
    palette: str | Sequence[str],
    classes: Sequence[str],
    maps: pd.DataFrame,
    images: Sequence[np.ndarray],
    neighbors: Mapping[str, np.ndarray],
    made_by: str = "",
) -> dict[str, Any]:
    """Return what the page needs to know, for JSON; data.js reads it.

    `maps` is the table that load_maps returns. `images` holds the images of each split,
    (n, height, width, 1 or 3) with values in [0, 1], or nothing. `neighbors[layer]` (rows of maps, k) holds the numbers
    of the training images that are nearest to each image, nearest first. `made_by` says what made the page.
    """
    labels = maps.label.to_numpy() if classes else np.zeros(len(maps), int)
    predicted = "prediction" in maps
    arrays = {"label": pack_array(shrink_integers(labels))}
    naming = next((column for column in COLUMNS if column in maps), None)
    if naming:
        arrays["name"] = pack_array(np.frombuffer(json.dumps(maps[naming].tolist()).encode(), np.uint8))
    if predicted:
        arrays["prediction"] = pack_array(shrink_integers(maps.prediction.to_numpy()))
    if predicted and "confidence" in maps:
        confidence = np.rint(maps.confidence.to_numpy() * 10_000).astype(np.uint16)  # in hundredths of a percent
        arrays["confidence"] = pack_array(confidence)
    depths = [*layers, "network"]
    if predicted and "prediction_depth" in maps:
        arrays["depth"] = pack_array(shrink_integers(pd.Index(depths).get_indexer(maps.prediction_depth)))
    medians = []
    for layer in layers:
        coordinates = scale_map(maps[[f"{layer}_x", f"{layer}_y"]].to_numpy())
        medians.append([compute_median(coordinates[labels == label]) for label in range(len(classes))])
        for axis, values in zip("xy", np.rint((coordinates.T + 1) / 2 * 65_535).astype(np.uint16), strict=True):
            arrays[f"{layer}_{axis}"] = pack_array(values)
        arrays[f"{layer}_neighbors"] = pack_array(shrink_integers(neighbors[layer]))
        if classes and f"{layer}_knn" in maps:
            arrays[f"{layer}_votes"] = pack_array(shrink_integers(maps[f"{layer}_knn"].to_numpy()))
    side, (height, width), sheets = make_sprite_sheets(images) if images else (0, (0, 0), [])
    return {
        "dataset": dataset,
        "layers": list(layers),
        "classes": list(classes),
        "colors": [to_hex(color) for color in class_colors(palette, len(classes))],
        "medians": medians,  # of the coordinates of each class, by layer
        "predicted": predicted,
        "depths": depths,  # the prediction depths that there can be
        "naming": naming,  # what the names of the images are, if they have any: those of files, or of vectors
        "splits": {split: int((maps.split == split).sum()) for split in SPLITS},
        "nearest": neighbors[layers[0]].shape[1],
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
        given, layers = snakemake.input, snakemake.params.layers
        paths = {layer: given.neighbors[len(SPLITS) * at :][: len(SPLITS)] for at, layer in enumerate(layers)}
        classes = load_classes(given.classes)
        tables = read_tables(given.maps, classes, given.images, paths)
        made_by = describe_provenance(provenance(snakemake.wildcards.dataset))
        data = make_page_data(snakemake.wildcards.dataset, layers, snakemake.params.palette, classes, *tables, made_by)
        save_text(snakemake.output.page, build_explorer(data))
