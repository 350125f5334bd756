"""Models from files, which are checked before Keras reads them.

A model's configuration can hold code, a file of weights can lead into other files, and both can declare far more than
they hold. Keras 3.15 refuses much of that by itself. What it lets through is memory: up to 4 GiB for each member of an
archive, and any size for a layer that is only declared.
"""

import json
import math
import stat
import zipfile
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO

import h5py

from common.arrays import damage_named
from common.backend import keras
from common.jobs import UserError

CONFIG, WEIGHTS = "config.json", "model.weights.h5"
BOUNDED = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)  # what zipfile unpacks no further than it is asked to
EXPANSION = 10  # times as large as it is packed: more than any that Keras writes, which it does not pack
SMALL = 2**26  # bytes, that may be packed as they like
LARGEST_CONFIG = 2**23  # bytes, of which Python makes objects that take up to seventy times as much
CODE = ("Lambda", "__lambda__")
TENSOR = "__keras_tensor__"  # what another layer puts out; a layer of constants would compute as it is built
PROGRAMS = ("TFSMLayer", "JaxLayer", "FlaxLayer", "TorchModuleWrapper")  # what a model in another form is called with
SLACK = 1_000_000  # weights that a model may have and not keep in its file, as states of random generators


def load_network(path: str | Path) -> keras.Model:
    """The network in a .keras file that a rule has written; raises UserError if that is damaged."""
    with damage_named(path):
        check_model(path)
        return keras.models.load_model(path)


def check_model(path: str | Path) -> None:
    """Raise UserError, which says why, if a .keras file is not one that can be read without harm.

    Its members must stay in their folder, its configuration may only have Keras' own classes, without code, and its
    weights must be in it, as many as the configuration declares. Nothing of it is run, and it is never unpacked to more
    than SMALL bytes and EXPANSION times its size.
    """
    with zipfile.ZipFile(path) as archive:
        members = archive.infolist()
        for member in members:
            check_member(member)
        size, packed = (sum(getattr(member, name) for member in members) for name in ("file_size", "compress_size"))
        if size > SMALL + EXPANSION * packed:
            raise UserError(f"its members would be unpacked to {size:,} bytes from {packed:,}")
        if archive.getinfo(CONFIG).file_size > LARGEST_CONFIG:
            raise UserError(f"its {CONFIG} is longer than {LARGEST_CONFIG:,} bytes")
        config = json.loads(archive.read(CONFIG))
        config.pop("compile_config", None)  # how it was trained, often with a loss of one's own
        check_config(config)
        held = check_weights(BytesIO(archive.read(WEIGHTS)))
    declared = count_weights(config)
    if declared > held + SLACK:
        raise UserError(f"its layers declare {declared:,} weights, and it holds {held:,}: save it again, without LoRA")


def check_member(member: zipfile.ZipInfo) -> None:
    """Raise UserError if a member of an archive leaves the folder that it is unpacked in, or is far larger unpacked."""
    name = PurePosixPath(member.filename)
    if name.is_absolute() or ".." in name.parts or "\\" in member.filename:
        raise UserError(f"its member {member.filename} would leave the folder that it is unpacked in")
    if stat.S_ISLNK(member.external_attr >> 16):
        raise UserError(f"its member {member.filename} is a symbolic link")
    if member.compress_type not in BOUNDED or member.file_size > SMALL + EXPANSION * member.compress_size:
        size = f"{member.file_size:,} bytes from {member.compress_size:,}"
        raise UserError(f"its member {member.filename} would be unpacked to {size}")


def check_config(config: object) -> None:
    """Raise UserError if a model's configuration describes anything but objects of Keras, or code."""
    for entry in descriptions(config):
        name, module = entry["class_name"], entry.get("module") or "keras"
        if name in CODE:
            raise UserError("it holds Python code (Lambda), which is not run: make it of Keras' own layers")
        if name in PROGRAMS:
            raise UserError(f"it calls a program in another file ({name}), which is not run: make it of Keras' layers")
        if module.split(".")[0] not in ("keras", "builtins"):
            what = entry.get("registered_name") or name
            raise UserError(f"it needs code that is not Keras' own ({what}, of {module}): make it of Keras' own layers")
        for node in entry.get("inbound_nodes") or []:
            if isinstance(node, Mapping) and not any(part["class_name"] == TENSOR for part in descriptions(node)):
                raise UserError(f"its layer {entry.get('name', name)} is called with constants alone, not with images")


def descriptions(value: object) -> Iterator[Mapping[str, Any]]:
    """All descriptions of objects in a configuration, at any depth."""
    waiting = [value]
    while waiting:
        value = waiting.pop()
        if isinstance(value, Mapping):
            if isinstance(value.get("class_name"), str):
                yield value
            waiting += value.values()
        elif isinstance(value, list):
            waiting += value


def check_weights(file: str | Path | BinaryIO) -> int:
    """The number of weights in an HDF5 file, of which only the headers are read.

    Raises UserError if any is kept in another file, or declared without being kept.
    """
    with h5py.File(file, "r") as stored:
        links, entries = {}, {}
        stored.visititems_links(links.__setitem__)
        stored.visititems(entries.__setitem__)
        for name, link in links.items():
            if not isinstance(link, h5py.HardLink):
                raise UserError(f"its weights {name} are kept elsewhere ({type(link).__name__})")
        datasets = {name: entry for name, entry in entries.items() if isinstance(entry, h5py.Dataset)}
        for name, dataset in datasets.items():
            if dataset.external or dataset.is_virtual:
                raise UserError(f"its weights {name} are kept in another file")
            if dataset.dtype.kind not in "biuf":
                raise UserError(f"its weights {name} are {dataset.dtype}, not numbers")
        declared = sum(dataset.nbytes for dataset in datasets.values())
        kept = sum(dataset.id.get_storage_size() for dataset in datasets.values())
        if declared > SMALL + EXPANSION * kept:
            raise UserError(f"its weights declare {declared:,} bytes, of which it holds {kept:,}")
        return sum(dataset.size for dataset in datasets.values())


def count_weights(config: Mapping[str, Any]) -> int:
    """How many weights the model of a configuration has; none of them is made."""

    def build() -> keras.Model:
        with keras.StatelessScope(initialize_variables=False):
            return keras.models.model_from_json(json.dumps(not_compiled(config)))

    # in a thread of its own: Keras keeps for each a list of the weights that are still to be made, and would make these
    with ThreadPoolExecutor(1) as thread:
        return sum(math.prod(variable.shape) for variable in thread.submit(build).result().variables)


def not_compiled(value: Any) -> Any:
    """A configuration without what it says, at any depth, of training, for which weights would be made at once."""
    if isinstance(value, Mapping):
        return {key: not_compiled(part) for key, part in value.items() if key != "compile_config"}
    return [not_compiled(part) for part in value] if isinstance(value, list) else value
