"""Edited archives and weights, from which hostile models are made."""

import json
import zipfile
from pathlib import Path

import h5py
import numpy as np

from common.networks.keras_setup import keras

SECRET = b"a secret of the user's, forty bytes long"  # ten float32
HUGE = 200_000  # units of a layer with 149 GiB of weights
CONFIG, WEIGHTS = "config.json", "model.weights.h5"
KERNEL, BIAS = "layers/dense/vars/0", "layers/dense/vars/1"


def small_model() -> keras.Model:
    """Return a model that maps images 8 x 8 to ten classes."""
    images = keras.Input((8, 8, 1), name="images")
    flat = keras.layers.Flatten(name="flat")(images)
    return keras.Model(images, keras.layers.Dense(10, "softmax", name="softmax")(flat))


def save_small_model(folder: Path, name: str) -> Path:
    """Save a small model in a folder, and return its path."""
    path = folder / f"{name}.keras"
    small_model().save(path)
    return path


def read_member(path: Path, name: str) -> bytes:
    """Return a member of an archive."""
    with zipfile.ZipFile(path) as archive:
        return archive.read(name)


def read_config(path: Path) -> dict:
    """Return the configuration in an archive."""
    return json.loads(read_member(path, CONFIG))


def replace_members(path: Path, members: dict[str, bytes]) -> None:
    """Write an archive again with these members, which replace others of their names."""
    with zipfile.ZipFile(path) as archive:
        contents = {name: archive.read(name) for name in archive.namelist()} | members
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in contents.items():
            archive.writestr(name, content)


def replace_config(path: Path, config: dict) -> None:
    """Replace the configuration in an archive."""
    replace_members(path, {CONFIG: json.dumps(config).encode()})


def flat_entry(config: dict) -> dict:
    """Return the entry of the layer `flat` in the configuration of a small model."""
    (entry,) = (entry for entry in config["config"]["layers"] if entry["name"] == "flat")
    return entry


def save_with_layer(folder: Path, name: str, module: str, class_name: str, config: dict, registered=None) -> Path:
    """Save a small model whose layer `flat` is described as a layer of this class instead."""
    path = save_small_model(folder, name)
    model = read_config(path)
    flat_entry(model).update(
        module=module, class_name=class_name, config={"name": "flat"} | config, registered_name=registered
    )
    replace_config(path, model)
    return path


def edit_weights(weights: bytes, dataset: str, folder: Path, **creation: object) -> bytes:
    """Return HDF5 weights with one dataset replaced: by a new one, or by the given `link` or virtual `layout`."""
    path = folder / "edited.h5"
    path.write_bytes(weights)
    with h5py.File(path, "r+") as file:
        del file[dataset]
        if "link" in creation:
            file[dataset] = creation["link"]
        elif "layout" in creation:
            file.create_virtual_dataset(dataset, creation["layout"])
        else:
            file.create_dataset(dataset, **creation)
    weights = path.read_bytes()
    path.unlink()
    return weights


def declare_huge(weights: bytes, folder: Path, dataset: str = KERNEL) -> bytes:
    """Return HDF5 weights with a dataset of 149 GiB, of which nothing is stored."""
    return edit_weights(weights, dataset, folder, shape=(HUGE, HUGE), dtype="f4", chunks=(1000, 1000))


def references_to_secret(folder: Path) -> dict[str, dict]:
    """Return the ways in which a dataset of ten weights can be the content of another file, for edit_weights.

    The other files, `secret` and `secret.h5`, are written.
    """
    (folder / "secret").write_bytes(SECRET)
    with h5py.File(folder / "secret.h5", "w") as file:
        file["secret"] = np.frombuffer(SECRET, "f4")
    layout = h5py.VirtualLayout((10,), "f4")
    layout[:] = h5py.VirtualSource(str(folder / "secret.h5"), "secret", (10,))
    return {
        "external_storage": {"shape": (10,), "dtype": "f4", "external": [(str(folder / "secret"), 0, len(SECRET))]},
        "virtual_dataset": {"layout": layout},
        "external_link": {"link": h5py.ExternalLink(str(folder / "secret.h5"), "secret")},
    }


def save_with_secret(folder: Path, way: str) -> Path:
    """Save a small model whose last bias is the content of another file."""
    path = save_small_model(folder, way)
    weights = edit_weights(read_member(path, WEIGHTS), BIAS, folder, **references_to_secret(folder)[way])
    replace_members(path, {WEIGHTS: weights})
    return path


def save_bomb(folder: Path, name: str, member: str, size: int = 2**29) -> Path:
    """Save an archive of which a member unpacks to `size` bytes, a thousand times what it holds."""
    path = save_small_model(folder, name)
    with zipfile.ZipFile(path) as archive:
        contents = {entry: archive.read(entry) for entry in archive.namelist() if entry != member}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for entry, content in contents.items():
            archive.writestr(entry, content)
        with archive.open(member, "w", force_zip64=True) as stream:
            for _ in range(size // 2**24):
                stream.write(b" " * 2**24)
    return path
