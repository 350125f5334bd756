"""Make the explorer: one page that shows the maps of all layers, needs no server and fetches nothing."""

import gzip
import json
from base64 import b64encode
from collections.abc import Mapping, Sequence
from io import BytesIO
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.colors import to_hex
from PIL import Image
from skimage.transform import resize

from common.errors import UserError, rebuild_hint, report_corrupt_file
from common.figures.maps import find_frame
from common.figures.palette import class_colors
from common.files import SCRIPTS, atomic_write
from common.inputs import load_array, load_classes, load_npz
from common.logs import run_logged
from common.provenance import provenance
from common.provenance_text import describe_provenance

PAGE = SCRIPTS / "explorer"  # its sources
NEIGHBORS = 10
SHEET = 1024  # pixels: the side of a sheet, at most; the browser decodes only those that it shows
LEVELS = 16  # of a grey image
TILE = (16, 64)  # pixels: the longer side of an image in a sheet, at most, where there are many images, and where few
PIXELS = 64e6  # of all images together, about, where TILE allows
QUALITY = 85  # of color images, as JPEG


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
    center, side = find_frame(coordinates)
    return (coordinates - center) / (side / 2)


def tile_size(height: int, width: int, count: int) -> tuple[int, int]:
    """The height and width of an image in a sheet, one of `count`: its own, or smaller in proportion."""
    side = np.clip(np.sqrt(PIXELS / max(count, 1)), *TILE)
    scale = min(1, side / max(height, width))
    return max(1, round(scale * height)), max(1, round(scale * width))


def sprite_sheets(images: Sequence[np.ndarray]) -> tuple[int, tuple[int, int], list[str]]:
    """Images in square sheets: how many are in a row, the height and width of each, and the sheets as data URLs.

    `images` are arrays (n, height, width, 1 or 3) in [0, 1], one after the other. One channel is stored in 16 levels of
    grey, half the size of 256, which nobody tells apart in an image that small, as PNG; three as JPEG.
    """
    count, (*shape, channels) = sum(map(len, images)), images[0].shape[1:]
    height, width = tile_size(*shape, count)
    side = max(1, SHEET // max(height, width))
    rows = (row for part in images for row in part)
    sheets = []
    for start in range(0, count, side**2):
        tiles = np.zeros((side**2, height, width, channels), np.float32)
        for tile, row in zip(tiles, islice(rows, min(side**2, count - start)), strict=False):
            tile[:] = row if [height, width] == shape else resize(row, (height, width), anti_aliasing=True)
        sheet = tiles.reshape(side, side, height, width, channels).swapaxes(1, 2)
        sheet = sheet.reshape(side * height, side * width, channels)
        stored = BytesIO()
        if channels == 1:
            picture = Image.fromarray(np.rint(sheet[:, :, 0] * (LEVELS - 1)).astype(np.uint8), "P")
            picture.putpalette(np.repeat(np.linspace(0, 255, LEVELS).astype(np.uint8), 3).tobytes())
            kind = "png"
            picture.save(stored, kind, bits=4)
        else:
            picture = Image.fromarray(np.minimum(np.rint(sheet * 256), 255).astype(np.uint8))  # bytes are k / 256
            kind = "jpeg"
            picture.save(stored, kind, optimize=True, quality=QUALITY, subsampling=0)
        sheets.append(f"data:image/{kind};base64,{b64encode(stored.getvalue()).decode()}")
    return side, (height, width), sheets


def load_maps(path: str, classes: Sequence[str]) -> pd.DataFrame:
    """The table maps.csv, label and prediction, if it has them, as numbers of `classes`; of no classes without them.

    Predictions that are empty are left out, too. Raises UserError if it is damaged.
    """
    with report_corrupt_file(path):
        # a class may be called 01, or nan
        texts = dict.fromkeys(("split", "label", "prediction"), str)
        maps = pd.read_csv(path, dtype=texts, keep_default_na=False, na_values={"confidence": [""]})
        if "prediction" in maps and (not classes or not maps.prediction.any()):
            maps = maps.drop(columns=["prediction", "confidence"])
        if not classes:
            return maps.drop(columns="label", errors="ignore")
        for name in maps.columns.intersection(["label", "prediction"]):
            numbers = pd.Index(classes).get_indexer(maps[name])
            if (numbers < 0).any():
                raise ValueError(f"its {name} {maps[name][numbers < 0].iloc[0]!r} is none of the classes")
            maps[name] = numbers
    return maps


def read_tables(
    maps_path: str,
    classes: Sequence[str],
    image_paths: Sequence[str],
    neighbor_paths: Mapping[str, tuple[str, str]],
) -> tuple[pd.DataFrame, list[np.ndarray], dict[str, np.ndarray]]:
    """The tables that page_data takes; of two paths, the first is of the training images, the second of those held out.

    Without `image_paths` there are no images. Raises UserError if a file is damaged, or has not a row each for the same
    images as maps.csv.
    """
    maps = load_maps(maps_path, classes)
    images = [load_array(path) for path in image_paths]
    neighbors = {}
    for layer, paths in neighbor_paths.items():
        neighbors[layer] = np.concatenate([load_npz(path)["indices"][:, :NEIGHBORS] for path in paths])
    counts = {tuple(image_paths): sum(map(len, images))} if images else {}
    counts |= {neighbor_paths[layer]: len(rows) for layer, rows in neighbors.items()}
    for paths, count in counts.items():
        if count != len(maps):
            names = " and ".join(paths)
            raise UserError(
                f"{maps_path} has {len(maps)} rows, {names} have {count}; {rebuild_hint(maps_path, *paths)}"
            )
    return maps, images, neighbors


def page_data(
    dataset: str,
    layers: Sequence[str],
    palette: str | Sequence[str],
    classes: Sequence[str],
    maps: pd.DataFrame,
    images: Sequence[np.ndarray],
    neighbors: Mapping[str, np.ndarray],
    made_by: str = "",
) -> dict[str, Any]:
    """What explorer.js reads, as JSON.

    `maps` is maps.csv as load_maps has it: its labels and predictions, if there are any, number `classes`. `images` are
    those for training and those held out, (n, height, width, 1 or 3) in [0, 1], or none; `neighbors[layer]` (rows of
    maps, k) the training images nearest to each image, nearest first; `made_by` says what made the page.
    """
    labels = maps.label.to_numpy() if classes else np.zeros(len(maps), int)
    predicted = "prediction" in maps
    arrays = {"label": pack(smallest(labels))}
    if predicted:
        arrays["prediction"] = pack(smallest(maps.prediction.to_numpy()))
        arrays["confidence"] = pack(
            np.rint(maps.confidence.to_numpy() * 10_000).astype(np.uint16)
        )  # in 1/100 of a percent
    medians = []
    for layer in layers:
        coordinates = in_frame(maps[[f"{layer}_x", f"{layer}_y"]].to_numpy())
        medians.append([median(coordinates[labels == label]) for label in range(len(classes))])
        for axis, values in zip("xy", np.rint((coordinates.T + 1) / 2 * 65_535).astype(np.uint16), strict=True):
            arrays[f"{layer}_{axis}"] = pack(values)
        arrays[f"{layer}_neighbors"] = pack(smallest(neighbors[layer]))
    train = int((maps.split == "train").sum())
    side, (height, width), sheets = sprite_sheets(images) if images else (0, (0, 0), [])
    return {
        "dataset": dataset,
        "layers": list(layers),
        "classes": list(classes),
        "colors": [to_hex(color) for color in class_colors(palette, len(classes))],
        "medians": medians,
        "predicted": predicted,
        "train": train,
        "test": len(maps) - train,
        "nearest": neighbors[layers[0]].shape[1],
        "grey": bool(images) and images[0].shape[3] == 1,
        "size": [width, height] if images else None,
        "side": side,
        "sheets": sheets,
        "made": made_by,
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
    with run_logged(snakemake.log[0], "build_explorer"):
        given, layers = snakemake.input, snakemake.params.layers
        paths = dict(zip(layers, zip(given.train_neighbors, given.test_neighbors, strict=True), strict=True))
        classes = load_classes(given.classes)
        images = [given.train_images, given.test_images] if given.train_images else []
        tables = read_tables(given.maps, classes, images, paths)
        made_by = describe_provenance(provenance(snakemake.wildcards.dataset))
        data = page_data(snakemake.wildcards.dataset, layers, snakemake.params.palette, classes, *tables, made_by)
        with atomic_write(snakemake.output.page) as part:
            part.write_text(build_explorer(data))
