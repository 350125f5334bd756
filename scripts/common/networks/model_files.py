"""Models from files, checked before Keras reads them.

A model's configuration can hold code, a file of weights can refer to other files, and both can declare far more than
they hold. Keras 3.15 refuses much of that, but allocates up to 4 GiB for each member of an archive, and any size for a
layer that is only declared.
"""

import json
import math
import stat
import zipfile
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from io import BytesIO
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO

import h5py

from common.errors import UserError
from common.inputs import report_corrupt_file
from common.networks.keras_setup import keras

CONFIG, WEIGHTS, METADATA = "config.json", "model.weights.h5", "metadata.json"
BOUNDED = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)  # compression that zipfile unpacks no further than asked
EXPANSION = 10  # largest ratio of unpacked to packed size; Keras does not compress its files
SMALL = 2**26  # bytes; a smaller file may have any ratio
LARGEST_CONFIG = 2**23  # bytes; as Python objects they take up to seventy times as much
CODE = ("Lambda", "__lambda__")
TENSOR = "__keras_tensor__"  # the output of another layer; a layer of constants would compute when it is built
PROGRAMS = ("TFSMLayer", "JaxLayer", "FlaxLayer", "TorchModuleWrapper")  # layers that call a model in another format
SLACK = 1_000_000  # weights that may be missing in the file, such as states of random generators


def load_network(path: str | Path) -> keras.Model:
    """Return the network in a .keras file that a rule has written; raises UserError if it is damaged."""
    with report_corrupt_file(path):
        check_model(path)
        return keras.models.load_model(path)


def read_keras_version(path: str | Path) -> str:
    """Return the version of Keras that wrote a .keras file, such as "2.15.0"; "" if the file does not say it."""
    with suppress(Exception), zipfile.ZipFile(path) as archive:  # what is wrong with the file, check_model says
        check_member(archive.getinfo(METADATA))
        return f"{json.loads(archive.read(METADATA))['keras_version']:.20}"
    return ""


def check_model(path: str | Path) -> None:
    """Raise UserError with the reason if a .keras file cannot be read without harm.

    Its members must stay in their folder, its configuration may use only Keras' own classes, without code, and it must
    hold as many weights as the configuration declares. Nothing of it is run, and it is never unpacked to more than
    SMALL bytes plus EXPANSION times its size.
    """
    with zipfile.ZipFile(path) as archive:
        members = archive.infolist()
        for member in members:
            check_member(member)
        size, packed = (sum(getattr(member, name) for member in members) for name in ("file_size", "compress_size"))
        if size > SMALL + EXPANSION * packed:
            raise UserError(f"its members would be unpacked to {size:,} bytes from {packed:,}")
        if archive.getinfo(CONFIG).file_size > LARGEST_CONFIG:
            raise UserError(f"its {CONFIG} is larger than {LARGEST_CONFIG:,} bytes")
        config = json.loads(archive.read(CONFIG))
        config.pop("compile_config", None)  # how it was trained, often with a custom loss
        check_config(config)
        held = check_weights(BytesIO(archive.read(WEIGHTS)))
    declared = count_weights(config)
    if declared > held + SLACK:
        raise UserError(f"its layers declare {declared:,} weights, and it holds {held:,}. Save it again without LoRA")


def check_member(member: zipfile.ZipInfo) -> None:
    """Raise UserError if a member of an archive would leave its folder, or unpacks to far more than its size."""
    name = PurePosixPath(member.filename)
    if name.is_absolute() or ".." in name.parts or "\\" in member.filename:
        raise UserError(f"its member {member.filename} would be unpacked outside of its folder")
    if stat.S_ISLNK(member.external_attr >> 16):
        raise UserError(f"its member {member.filename} is a symbolic link")
    if member.compress_type not in BOUNDED or member.file_size > SMALL + EXPANSION * member.compress_size:
        size = f"{member.file_size:,} bytes from {member.compress_size:,}"
        raise UserError(f"its member {member.filename} would be unpacked to {size}")


def check_config(config: object) -> None:
    """Raise UserError if a model's configuration holds code or describes other objects than those of Keras."""
    for entry in descriptions(config):
        name, module = entry["class_name"], entry.get("module") or "keras"
        if name in CODE:
            raise UserError("it holds Python code (Lambda), which is not run. Build it from Keras' own layers")
        if name in PROGRAMS:
            raise UserError(
                f"it calls a program in another file ({name}), which is not run. Build it from Keras' own layers"
            )
        if module.split(".")[0] not in ("keras", "builtins"):
            what = entry.get("registered_name") or name
            raise UserError(
                f"it needs code that is not part of Keras ({what}, of {module}). Build it from Keras' own layers"
            )
        for node in entry.get("inbound_nodes") or []:
            if isinstance(node, Mapping) and not any(part["class_name"] == TENSOR for part in descriptions(node)):
                raise UserError(f"its layer {entry.get('name', name)} is called with constants only, not with images")


def descriptions(value: object) -> Iterator[Mapping[str, Any]]:
    """Yield all descriptions of objects in a configuration, at any depth."""
    pending = [value]
    while pending:
        value = pending.pop()
        if isinstance(value, Mapping):
            if isinstance(value.get("class_name"), str):
                yield value
            pending += value.values()
        elif isinstance(value, list):
            pending += value


def check_weights(file: str | Path | BinaryIO) -> int:
    """Return the number of weights in an HDF5 file; only its headers are read.

    Raises UserError if weights are stored in another file, or declared without being stored.
    """
    with h5py.File(file, "r") as stored:
        links, entries = {}, {}
        stored.visititems_links(links.__setitem__)
        stored.visititems(entries.__setitem__)
        for name, link in links.items():
            if not isinstance(link, h5py.HardLink):
                raise UserError(f"its weights {name} are stored elsewhere ({type(link).__name__})")
        datasets = {name: entry for name, entry in entries.items() if isinstance(entry, h5py.Dataset)}
        for name, dataset in datasets.items():
            if dataset.external or dataset.is_virtual:
                raise UserError(f"its weights {name} are stored in another file")
            if dataset.dtype.kind not in "biuf":
                raise UserError(f"its weights {name} are {dataset.dtype}, not numbers")
        declared = sum(dataset.nbytes for dataset in datasets.values())
        stored_bytes = sum(dataset.id.get_storage_size() for dataset in datasets.values())
        if declared > SMALL + EXPANSION * stored_bytes:
            raise UserError(f"its weights declare {declared:,} bytes, of which it holds {stored_bytes:,}")
        return sum(dataset.size for dataset in datasets.values())


def count_weights(config: Mapping[str, Any]) -> int:
    """Return the number of weights that a configuration declares, without allocating them."""

    def build() -> keras.Model:
        with keras.StatelessScope(initialize_variables=False):
            return keras.models.model_from_json(json.dumps(remove_compile_config(config)))

    # in a thread of its own: Keras keeps a list of weights to be allocated for each thread, and would allocate these
    with ThreadPoolExecutor(1) as thread:
        return sum(math.prod(variable.shape) for variable in thread.submit(build).result().variables)


def remove_compile_config(value: Any) -> Any:
    """Return a configuration without compile_config at any depth, for which Keras would allocate weights."""
    if isinstance(value, Mapping):
        return {key: remove_compile_config(part) for key, part in value.items() if key != "compile_config"}
    return [remove_compile_config(part) for part in value] if isinstance(value, list) else value
