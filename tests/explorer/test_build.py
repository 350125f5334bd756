"""How the page is built: its sources, its tables and its sprite sheets, without a browser."""

import gzip
import io
import json
import os
import re
import shutil
import subprocess
import sys
from base64 import b64decode
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from build_explorer import build_explorer, load_maps, make_page_data, read_embeddings
from PIL import Image

from common.errors import UserError
from common.explorer.sprite_sheets import choose_tile_size, make_sprite_sheets
from common.names import SPLITS
from explorer.page_input import COUNT, DIGITS, TRAIN, VALIDATION
from helpers import ROOT

EXPLORER = ROOT / "scripts/explorer"
FRAME = """<link rel="icon" href="data:,">
<link rel="stylesheet" href="b.css">
<link rel="stylesheet" href="a.css">
<script type="application/json" id="data"></script>
<script src="b.js"></script>
<script src="a.js"></script>
"""


def test_named_files_are_inlined_in_order(tmp_path):
    (tmp_path / "explorer.html").write_text(FRAME)
    for name in ("a.css", "b.css", "a.js", "b.js"):
        (tmp_path / name).write_text(rf"{name} \1 <script src='c.js'>" + "\n")
    page = build_explorer({"name": "</script>"}, tmp_path)
    assert page.splitlines() == [
        '<link rel="icon" href="data:,">',
        *("<style>", r"b.css \1 <script src='c.js'>", "</style>"),
        *("<style>", r"a.css \1 <script src='c.js'>", "</style>"),
        r'<script type="application/json" id="data">{"name":"\u003c/script>"}</script>',
        *("<script>", r"b.js \1 <script src='c.js'>", "</script>"),
        *("<script>", r"a.js \1 <script src='c.js'>", "</script>"),
    ]


def test_missing_file_of_the_page_is_named(tmp_path):
    (tmp_path / "explorer.html").write_text(FRAME)
    (tmp_path / "b.css").touch()
    with pytest.raises(FileNotFoundError, match=r"explorer\.html names a\.css, which is not there"):
        build_explorer({}, tmp_path)
    (tmp_path / "explorer.html").write_text("<p>")
    with pytest.raises(ValueError, match=r"explorer\.html has no <script .* id=\"data\"></script>"):
        build_explorer({}, tmp_path)


def test_every_source_is_in_the_page(digits):
    page = build_explorer(digits.make_data())
    sources = [path for path in EXPLORER.iterdir() if path.suffix in (".css", ".js")]
    assert len(sources) > 5 and all(page.count(path.read_text()) == 1 for path in sources)
    assert not re.search(r'<script src=|<link rel="stylesheet"', page)


def test_no_name_ends_the_data_early(digits):
    name = "</script><h1>Digits"
    page = build_explorer(digits.make_data(name))
    stored = re.search(r'<script type="application/json" id="data">(.*?)</script>', page, re.S)[1]
    assert json.loads(stored)["dataset"] == name


def test_bundle_has_the_pinned_versions_and_their_licenses():
    package = json.loads((EXPLORER / "package.json").read_text())
    bundle = (EXPLORER / "bundle.js").read_text()
    bundled = dict(re.findall(r"^/\*! (\S+) (\S+)$", bundle, re.M))
    assert bundled == package["dependencies"]
    assert len(bundle) < 1e6 and bundle.count("Permission ") >= len(bundled)


@pytest.mark.slow
def test_bundle_is_that_of_the_modules(tmp_path):
    shutil.copytree(EXPLORER, tmp_path / "scripts/explorer")
    shutil.copy(ROOT / "Makefile", tmp_path)
    programs = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])  # npm is among them
    command = ["make", "--silent", "explorer"]
    result = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, env=os.environ | {"PATH": programs})
    assert result.returncode == 0, result.stderr
    assert (tmp_path / "scripts/explorer/bundle.js").read_text() == (EXPLORER / "bundle.js").read_text()


def test_modules_are_short():
    modules = [*(EXPLORER / "modules").iterdir()]
    assert len(modules) > 10 and max(len(path.read_text().splitlines()) for path in modules) <= 200


def test_classes_are_read_as_they_are_named(tmp_path):
    path = tmp_path / "maps.csv"
    maps = pd.DataFrame({"label": ["01", "nan", "1", "NA"], "prediction": ["1", "NA", "nan", "01"], "confidence": 0.5})
    maps.to_csv(path, index=False)
    read = load_maps(path, ["1", "01", "NA", "nan"])
    assert read.label.tolist() == [1, 3, 0, 2] and read.prediction.tolist() == [0, 2, 3, 1]
    assert list(load_maps(path, []).columns) == []
    with pytest.raises(
        UserError, match=r"maps.csv is damaged \(ValueError: its label 'NA' is none of the classes\)\. Rebuild"
    ):
        load_maps(path, ["1", "01", "nan"])
    maps.assign(prediction_depth="01", conv1_knn="NA").to_csv(path, index=False)
    read = load_maps(path, ["1", "01", "NA", "nan"])
    assert read.conv1_knn.tolist() == [2] * 4 and read.prediction_depth.tolist() == ["01"] * 4, (
        "a layer may be called 01"
    )
    assert list(load_maps(path, []).columns) == []
    maps.assign(prediction="", confidence=np.nan).to_csv(path, index=False)  # as from a network of other classes
    assert list(load_maps(path, ["1", "01", "NA", "nan"]).columns) == ["label"]
    maps.drop(columns="confidence").to_csv(path, index=False)  # as from predictions without probabilities
    assert list(load_maps(path, ["1", "01", "NA", "nan"]).columns) == ["label", "prediction"]
    maps.drop(columns="confidence").assign(prediction="").to_csv(path, index=False)
    assert list(load_maps(path, ["1", "01", "NA", "nan"]).columns) == ["label"]


@pytest.mark.parametrize("column", ["file", "name"])
def test_names_of_images_are_in_the_page_as_they_are(digits, tmp_path, column):
    names = ["007", "nan", "é/</script>.png", 'a, "b"\nc', *map(str, range(COUNT - 4))]
    digits.maps.assign(**{column: names}).to_csv(tmp_path / "maps.csv", index=False)
    maps = load_maps(tmp_path / "maps.csv", DIGITS)
    assert maps[column].tolist() == names
    data = make_page_data("Named", "auto", DIGITS, maps, digits.splits, digits.embeddings)
    packed = data["arrays"][column]
    assert data["texts"] == [column] and packed["type"] == "uint8"
    assert json.loads(gzip.decompress(b64decode(packed["bytes"]))) == names
    assert digits.make_data()["texts"] == [] and column not in digits.make_data()["arrays"]


def test_files_of_different_lengths_are_named(digits, tmp_path):
    paths = {"maps": [], "neighbors": []}
    for layer in ("pixel", "conv1", "conv1-epoch0"):
        for split, part in zip(SPLITS, digits.splits, strict=True):
            paths["neighbors"].append(f"{tmp_path}/{layer}_{split}.npz")
            np.savez(paths["neighbors"][-1], indices=np.full((len(part), 12), len(layer), np.int32))
            paths["maps"].append(f"{tmp_path}/{layer}_{split}.npy")
            np.save(paths["maps"][-1], np.full((len(part), 2), len(layer), np.float32))
    states = [{"layer": "pixel", "epoch": None}, {"layer": "conv1", "epoch": None}, {"layer": "conv1", "epoch": 0}]
    found = read_embeddings(states, paths["maps"], paths["neighbors"], COUNT)
    assert [(one.layer, one.epoch, one.neighbors.shape, one.neighbors[0, 0]) for one in found] == [
        *(("pixel", None, (COUNT, 10), 5), ("conv1", None, (COUNT, 10), 5)),
        ("conv1", 0, (COUNT, 10), 12),
    ]
    assert [one.coordinates[-1].tolist() for one in found] == [[5, 5], [5, 5], [12, 12]]
    np.save(paths["maps"][5], np.zeros((7, 2)))
    with pytest.raises(UserError, match=r"/conv1_test.npy have 1604 rows, maps.csv has 1797\. Rebuild"):
        read_embeddings(states, paths["maps"], paths["neighbors"], COUNT)
    np.savez(paths["neighbors"][2], indices=np.zeros((5, 12), np.int32))
    names = ".*/pixel_train.npz and .*/pixel_validation.npz and .*/pixel_test.npz"
    with pytest.raises(UserError, match=rf"{names} have 1602 rows, maps.csv has 1797\. Rebuild"):
        read_embeddings(states, paths["maps"], paths["neighbors"], COUNT)


def test_data_of_the_page_have_the_number_of_images_of_each_split(digits):
    assert list(digits.make_data()["splits"].items()) == [("train", TRAIN), ("validation", VALIDATION), ("test", 200)]
    rows = digits.maps.split == "train"
    neighbors = {layer: nearest[rows] for layer, nearest in digits.neighbors.items()}
    train = replace(digits, maps=digits.maps[rows], neighbors=neighbors)
    data = make_page_data("Rows", "auto", DIGITS, train.maps, [], train.embeddings)
    assert data["splits"] == {"train": TRAIN, "validation": 0, "test": 0}


@pytest.mark.parametrize(("count", "shape"), [(1, (28, 28)), (1400, (28, 28)), (7, (60, 9))])
def test_sprite_sheets_hold_each_image_once(count, shape):
    images = np.random.default_rng(0).integers(16, size=(count, *shape, 1)).astype(np.float32) / 15
    side, size, sheets = make_sprite_sheets([images[: count // 3], images[count // 3 :], images[:0]])
    assert size == shape and len(sheets) == -(-count // side**2)
    for number in {0, count // 2, count - 1}:
        stored = b64decode(sheets[number // side**2].removeprefix("data:image/webp;base64,"))
        sheet = np.asarray(Image.open(io.BytesIO(stored)).convert("L"))
        assert max(sheet.shape) <= 1024
        row, column = divmod(number % side**2, side)
        tile = sheet[row * shape[0] : (row + 1) * shape[0], column * shape[1] : (column + 1) * shape[1]]
        assert np.array_equal(tile, np.rint(images[number, :, :, 0] * 255))


def test_images_in_sheets_are_the_smaller_the_more_there_are():
    assert choose_tile_size(28, 28, 60_000) == (28, 28) and choose_tile_size(32, 32, 60_000) == (32, 32)
    assert choose_tile_size(224, 112, 1000) == (64, 32) and choose_tile_size(8, 8, 10) == (8, 8)
    assert choose_tile_size(224, 224, 1_000_000) == (16, 16) and choose_tile_size(1000, 2, 10) == (64, 1)
