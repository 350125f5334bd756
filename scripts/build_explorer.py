"""Make the explorer: one page that shows the maps of all layers, needs no server and fetches nothing."""

import gzip
import json
from base64 import b64encode
from collections.abc import Mapping, Sequence
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.colors import to_hex
from PIL import Image

from common.arrays import anew, load, load_npz
from common.figures import class_colors, frame
from common.files import whole
from common.jobs import UserError, job
from common.tables import load_table

PAGE = Path(__file__).with_name("explorer")  # its sources
NEIGHBORS = 10
SHEET = 1024  # pixels: the side of a sheet, at most; the browser decodes only those that it shows
LEVELS = 16  # of a grey image


def pack(array: np.ndarray) -> dict[str, str]:
    """Unsigned integers as JSON: the name of their type, and base64 of gzip of them in little-endian order."""
    content = gzip.compress(array.astype(array.dtype.newbyteorder("<")).tobytes(), mtime=0)
    return {"type": array.dtype.name, "bytes": b64encode(content).decode()}


def smallest(array: np.ndarray) -> np.ndarray:
    """Integers from 0 on, in the smallest unsigned type that holds them, of at most 32 bits."""
    return array.astype(np.min_scalar_type(array.max(initial=0)))


def median(places: np.ndarray) -> list[float] | None:
    """The median of places (n, 2); None of none: a class that is predicted need not be any image's."""
    return np.median(places, axis=0).round(4).tolist() if len(places) else None


def in_frame(coordinates: np.ndarray) -> np.ndarray:
    """A map (n, 2) in a square like the figures', but around all of its images, as (n, 2) float64 in (-1, 1)."""
    center, side = frame(coordinates)
    return (coordinates - center) / (side / 2)


def sprite_sheets(images: np.ndarray) -> tuple[int, list[bytes]]:
    """Images (n, height, width, channels) in [0, 1] in square sheets: how many are in a row, and the sheets as PNG.

    One channel is stored in 16 levels of grey, half the size of 256, which nobody tells apart in an image that small;
    of more, the first three as red, green and blue.
    """
    count, height, width, channels = images.shape
    side = max(1, SHEET // max(height, width))
    sheets = []
    for start in range(0, count, side**2):
        part = np.asarray(images[start : start + side**2])
        tiles = np.zeros((side**2, *part.shape[1:]), part.dtype)
        tiles[: len(part)] = part
        sheet = tiles.reshape(side, side, height, width, channels).swapaxes(1, 2)
        sheet = sheet.reshape(side * height, side * width, channels)
        stored = BytesIO()
        if channels == 1:
            picture = Image.fromarray(np.rint(sheet[:, :, 0] * (LEVELS - 1)).astype(np.uint8), "P")
            picture.putpalette(np.repeat(np.linspace(0, 255, LEVELS).astype(np.uint8), 3).tobytes())
            picture.save(stored, "png", optimize=True, bits=4)
        else:
            Image.fromarray(np.rint(sheet[:, :, :3] * 255).astype(np.uint8)).save(stored, "png", optimize=True)
        sheets.append(stored.getvalue())
    return side, sheets


def read_tables(
    maps_path: str, image_paths: tuple[str, str], neighbor_paths: Mapping[str, tuple[str, str]]
) -> tuple[pd.DataFrame, tuple[np.ndarray, np.ndarray], dict[str, np.ndarray]]:
    """The tables that page_data takes; of two paths, the first is of the training images, the second of those held out.

    Raises UserError if a file is damaged, or has not a row each for the same images as maps.csv.
    """
    maps = load_table(maps_path, "id", "split", "label")
    images = load(image_paths[0]), load(image_paths[1])
    neighbors = {}
    for layer, paths in neighbor_paths.items():
        neighbors[layer] = np.concatenate([load_npz(path)["indices"][:, :NEIGHBORS] for path in paths])
    counts = {image_paths: sum(map(len, images))} | {
        neighbor_paths[layer]: len(rows) for layer, rows in neighbors.items()
    }
    for paths, count in counts.items():
        if count != len(maps):
            names = " and ".join(paths)
            raise UserError(f"{maps_path} has {len(maps)} rows, {names} have {count}; {anew(maps_path, *paths)}")
    return maps, images, neighbors


def page_data(
    dataset: str,
    layers: Sequence[str],
    palette: str | Sequence[str],
    maps: pd.DataFrame,
    images: Sequence[np.ndarray],
    neighbors: Mapping[str, np.ndarray],
) -> dict[str, Any]:
    """What explorer.js reads, as JSON.

    `maps` is maps.csv; `images` those for training and those held out, (n, height, width, channels) in [0, 1];
    `neighbors[layer]` (rows of maps, k) the training images nearest to each image, nearest first.
    """
    predicted = "prediction" in maps
    numbers = maps[["label", "prediction"]] if predicted else maps[["label"]]
    classes = np.unique(numbers)
    colors = class_colors(palette, classes.max() + 1)[classes]
    side, sheets = sprite_sheets(np.concatenate(images))
    arrays = {"label": pack(smallest(np.searchsorted(classes, maps.label)))}
    if predicted:
        arrays["prediction"] = pack(smallest(np.searchsorted(classes, maps.prediction)))
        arrays["confidence"] = pack(
            np.rint(maps.confidence.to_numpy() * 10_000).astype(np.uint16)
        )  # in 1/100 of a percent
    medians = []
    for layer in layers:
        coordinates = in_frame(maps[[f"{layer}_x", f"{layer}_y"]].to_numpy())
        medians.append([median(coordinates[maps.label == label]) for label in classes])
        for axis, values in zip("xy", np.rint((coordinates.T + 1) / 2 * 65_535).astype(np.uint16), strict=True):
            arrays[f"{layer}_{axis}"] = pack(values)
        arrays[f"{layer}_neighbors"] = pack(smallest(neighbors[layer]))
    return {
        "dataset": dataset,
        "layers": list(layers),
        "classes": [str(label) for label in classes],
        "colors": [to_hex(color) for color in colors],
        "medians": medians,
        "predicted": predicted,
        "train": len(images[0]),
        "test": len(images[1]),
        "nearest": neighbors[layers[0]].shape[1],
        "grey": images[0].shape[3] == 1,
        "size": [images[0].shape[2], images[0].shape[1]],
        "side": side,
        "sheets": [b64encode(sheet).decode() for sheet in sheets],
        "arrays": arrays,
    }


def build_explorer(data: Mapping[str, Any], sources: Path = PAGE) -> str:
    """The page: its sources in one file, with the data (page_data) in it."""
    stored = json.dumps(data, separators=(",", ":"), allow_nan=False).replace(
        "<", "\\u003c"
    )  # no end of the script in a name
    text = (sources / "explorer.html").read_text()
    parts = {
        '<link rel="stylesheet" href="explorer.css">': f"<style>\n{(sources / 'explorer.css').read_text()}</style>",
        '<script src="library.js"></script>': f"<script>\n{(sources / 'library.js').read_text()}</script>",
        '<script src="explorer.js"></script>': f"<script>\n{(sources / 'explorer.js').read_text()}</script>",
        'id="data"></script>': f'id="data">{stored}</script>',
    }
    for tag, part in parts.items():
        before, found, after = text.partition(tag)
        assert found, tag
        text = before + part + after
    return text


if __name__ == "__main__":
    with job(snakemake.log[0], "build_explorer"):
        given, layers = snakemake.input, snakemake.params.layers
        paths = dict(zip(layers, zip(given.train_neighbors, given.test_neighbors, strict=True), strict=True))
        tables = read_tables(given.maps, (given.train_images, given.test_images), paths)
        data = page_data(snakemake.wildcards.dataset, layers, snakemake.params.palette, *tables)
        with whole(snakemake.output.page) as part:
            part.write_text(build_explorer(data))
