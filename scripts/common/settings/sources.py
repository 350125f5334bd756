"""The files that a data set is read from, and checks that need no more than their names."""

import math
import re
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

from common.errors import UserError
from common.names import IDX_FILES
from common.networks.architectures import load_architecture
from common.settings.datasets import DIGITS, control_layers, count_classes, layer_names, networks

COLOR_SCALINGS = ("torch", "caffe")
Settings = Mapping[str, Any]


def list_sources(settings: Settings) -> dict[str, Any]:
    """Return the files of a data set of images, by the arguments of its reader."""
    kind, source = settings["kind"], settings["source"]
    if kind == "digits":
        return {}
    if kind == "npy":
        return source
    if kind == "idx":
        return find_idx_files(source, named=settings["classes"] is not None)
    return {"folder" if kind == "folder" else "path": source}


def list_vector_sources(settings: Settings, names: Collection[str]) -> dict[str, str | list[str]]:
    """Return the files of vectors with some of the names VECTOR_FILES, by split and name, such as "test_labels".

    The vectors are a list of files, one for each layer, the checkpoints one of those before training.
    """
    sources = {}
    for split, files in settings["source"].items():
        before = (files["checkpoints"] or {}).get("0", {})
        known = files | {"vectors": [files["vectors"][layer] for layer in layer_names(settings)]}
        known["checkpoints"] = [before[layer] for layer in control_layers(settings)]
        sources |= {f"{split}_{name}": known[name] for name in names if known[name]}
    return sources


def list_layer_sources(settings: Settings, layer: str, epoch: int | None) -> dict[str, str]:
    """Return the files with the vectors of one layer, after an epoch or None for the last, by split: "test_vectors"."""
    return {
        f"{split}_vectors": (files["vectors"] if epoch is None else files["checkpoints"][f"{epoch}"])[layer]
        for split, files in settings["source"].items()
    }


def find_idx_files(place: str, named: bool) -> dict[str, str]:
    """Return the four IDX files in a folder, or those in it whose names have the prefix that ends `place`.

    Unless the classes are `named`, EMNIST's file of class names is returned, too. Raises UserError if there are several
    data sets.
    """
    folder, prefix = (Path(place), "") if Path(place).is_dir() else (Path(place).parent, Path(place).name)
    names = list_files(folder) if folder.is_dir() else []
    found = {}
    for name in names:
        match = re.fullmatch(r"(.*?)(train|t10k|test)-(images|labels)[-.]idx\d-ubyte(\.gz)?", Path(name).name)
        if match and match[0].startswith(prefix):
            part = f"{match[2].replace('t10k', 'test')}_{match[3]}"
            found.setdefault(match[1], {}).setdefault(part, name)
    if len(found) > 1:
        raise UserError(
            f"{place} has several data sets. Give one of {', '.join(str(folder / name) for name in found)}."
        )
    prefix, parts = next(iter(found.items()), ("", {}))
    folder = folder if found else Path(place)  # where they are reported as missing
    files = {part: parts.get(part, f"{prefix}{usual}.gz") for part, usual in IDX_FILES.items()}
    mapping = f"{prefix}mapping.txt"
    if prefix and mapping in names and not named:
        files["mapping"] = mapping
    return {part: str(folder / name) for part, name in files.items()}


def list_files(folder: Path) -> list[str]:
    """Return the files in a folder, sorted, then those in folders of their own names, as Kaggle packs IDX files."""
    names = sorted(path.name for path in folder.iterdir())
    files = [name for name in names if (folder / name).is_file()]
    packed = [f"{name}/{path.name}" for name in names for path in sorted((folder / name).glob("*-ubyte*"))]
    return files + packed


def check_sources(settings: Settings, path: str) -> None:
    """Raise UserError if what is known of a data set before it is read does not fit its network."""
    network, is_digits = settings["network"], settings["kind"] == "digits"
    names = settings["classes"]
    if is_digits and names and len(names) != DIGITS["classes"]:
        raise UserError(f"{path}.classes: {len(names)} names for {DIGITS['classes']} classes. Give a name for each.")
    size = DIGITS["size"] if is_digits else settings["size"]
    if settings["trained"] and not network["model"].endswith(".py") and size:
        load_architecture(network["model"]).check_image_size(network, *size)
    scaling = network["input"]["scaling"]
    is_imported = networks(settings) and not settings["trained"]
    if is_imported and network["input"]["channels"] == 1 and scaling in COLOR_SCALINGS:
        raise UserError(
            f"network.input.scaling: {scaling} needs three channels ({path}). Set network.input.channels: 3."
        )


def check_palette_size(settings: Settings, dataset: str) -> str | Sequence[str]:
    """Return the palette; raises UserError if it has fewer colors than there are classes, as far as that is known."""
    palette, classes = settings["figures"]["palette"], count_classes(settings)
    if palette == "auto" or not classes:
        return palette
    if isinstance(palette, str):
        try:
            import matplotlib
        except ImportError:
            return palette
        count = len(matplotlib.color_sequences.get(palette, [])) or math.inf  # a color map has any number
    else:
        count = len(palette)
    if count < classes:
        raise UserError(
            f"figures.palette: {count} colors for the {classes} classes of {dataset}. "
            "Give one for each, or set it to auto."
        )
    return palette
