"""Models that would harm whoever loads them, each saved in a folder as a file that Keras takes for a model."""

import json
import stat
import zipfile
from pathlib import Path

import tensorflow as tf

from common.networks.keras_setup import keras
from networks.hostile_files import (
    CONFIG,
    HUGE,
    WEIGHTS,
    declare_huge,
    edit_weights,
    flat_entry,
    read_config,
    read_member,
    replace_config,
    replace_members,
    save_bomb,
    save_small_model,
    save_with_layer,
    save_with_secret,
)


class WritesAFile(tf.Module):
    """A SavedModel that writes a file when it is called."""

    def __init__(self, path: Path) -> None:
        """Make it write `path`."""
        super().__init__()
        self.path = str(path)

    @tf.function(input_signature=[tf.TensorSpec((None, 8, 8, 1))])
    def serve(self, images):
        """Write the file, and return the images flattened."""
        with tf.control_dependencies([tf.io.write_file(self.path, "it ran")]):
            return tf.reshape(images, (-1, 64))


def saved_model(folder: Path) -> Path:
    """A layer loads a SavedModel whose operation writes the file `ran`."""
    module = WritesAFile(folder / "ran")
    tf.saved_model.save(module, str(folder / "saved_model"), signatures={"serve": module.serve})
    config = {"filepath": str(folder / "saved_model"), "call_endpoint": "serve", "call_training_endpoint": None}
    return save_with_layer(folder, "saved_model", "keras.layers", "TFSMLayer", config)


def lambda_layer(folder: Path, suffix: str = ".keras") -> Path:
    """A layer is Python code, which writes the file `ran`."""
    ran = str(folder / "ran")

    def write(images):
        Path(ran).touch()
        return images

    path = folder / f"lambda_layer{suffix}"
    layers = [keras.layers.Lambda(write), keras.layers.Flatten(), keras.layers.Dense(3)]
    keras.Sequential([keras.Input((8, 8, 1)), *layers]).save(path)
    Path(ran).unlink()  # written as the model was built
    return path


def function_by_name(folder: Path) -> Path:
    """A Lambda layer names a function of Python's library, to be called with arguments from the file."""
    function = {"module": "os", "class_name": "function", "config": "system", "registered_name": "system"}
    config = {"function": function, "arguments": {}, "trainable": True, "dtype": "float32"}
    return save_with_layer(folder, "function_by_name", "keras.layers", "Lambda", config)


def module_outside_keras(folder: Path) -> Path:
    """A layer is a class of a module that writes the file `ran` when it is imported."""
    (folder / "keras_hub.py").write_text(f"open({str(folder / 'ran')!r}, 'w').close()\n")
    return save_with_layer(folder, "module_outside_keras", "keras_hub", "Own", {}, registered="keras_hub>Own")


def external_storage(folder: Path) -> Path:
    """A bias is stored in another file."""
    return save_with_secret(folder, "external_storage")


def virtual_dataset(folder: Path) -> Path:
    """A bias is a virtual dataset of another file."""
    return save_with_secret(folder, "virtual_dataset")


def external_link(folder: Path) -> Path:
    """A bias is a link to another file."""
    return save_with_secret(folder, "external_link")


def declared_by_config(folder: Path) -> Path:
    """A layer declares 200,000 x 200,000 weights; the file holds 64 x 10."""
    path = save_small_model(folder, "declared_by_config")
    text = json.dumps(read_config(path)).replace(json.dumps([None, 8, 8, 1]), json.dumps([None, HUGE]))
    text = text.replace(json.dumps([None, 64]), json.dumps([None, HUGE])).replace('"units": 10', f'"units": {HUGE}')
    assert text.count(f"{HUGE}") >= 3
    replace_members(path, {CONFIG: text.encode()})
    return path


def declared_by_weights(folder: Path) -> Path:
    """The weights of such a layer are declared, but not stored."""
    path = declared_by_config(folder).rename(folder / "declared_by_weights.keras")
    replace_members(path, {WEIGHTS: declare_huge(read_member(path, WEIGHTS), folder)})
    return path


def many_declared(folder: Path) -> Path:
    """Forty layers have 3000 x 3000 weights each, which are not stored."""
    path = folder / "many_declared.keras"
    keras.Sequential([keras.Input((4,)), *(keras.layers.Dense(4) for _ in range(40))]).save(path)
    weights = read_member(path, WEIGHTS)
    for number in range(40):
        layer = "layers/dense" + (f"_{number}" if number else "")
        weights = edit_weights(weights, f"{layer}/vars/0", folder, shape=(3000, 3000), dtype="f4", chunks=(100, 100))
        weights = edit_weights(weights, f"{layer}/vars/1", folder, shape=(3000,), dtype="f4", chunks=(100,))
    text = json.dumps(read_config(path)).replace("[null, 4]", "[null, 3000]").replace('"units": 4', '"units": 3000')
    assert text.count("3000") >= 80
    replace_members(path, {CONFIG: text.encode(), WEIGHTS: weights})
    return path


def constants(folder: Path) -> Path:
    """A layer makes 64 million numbers from one in the configuration, when the model is built."""
    size = {"size": [8000, 8000], "data_format": "channels_last", "interpolation": "nearest"}
    path = save_with_layer(folder, "constants", "keras.layers", "UpSampling2D", size)
    config = read_config(path)
    flat = flat_entry(config)
    one = {"class_name": "__tensor__", "config": {"value": [[[[1.0]]]], "dtype": "float32"}}
    flat["inbound_nodes"] = [{"args": [one], "kwargs": {}}]
    flat.pop("build_config", None)
    replace_config(path, config)
    return path


def long_config(folder: Path) -> Path:
    """The configuration has ten million empty objects."""
    path = save_small_model(folder, "long_config")
    config = json.dumps(read_config(path))
    replace_members(path, {CONFIG: (config[:-1] + ', "more": [' + "{}," * 10_000_000 + "{}]}").encode()})
    return path


def bomb_of_config(folder: Path) -> Path:
    """The configuration unpacks to 512 MiB."""
    return save_bomb(folder, "bomb_of_config", CONFIG)


def bomb_of_weights(folder: Path) -> Path:
    """The weights unpack to 512 MiB."""
    return save_bomb(folder, "bomb_of_weights", WEIGHTS)


def bomb_of_many(folder: Path) -> Path:
    """Twenty members unpack to 32 MiB each."""
    path = save_small_model(folder, "bomb_of_many")
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive:
        for number in range(20):
            archive.writestr(f"assets/{number}", bytes(2**25))
    return path


def path_outside(folder: Path) -> Path:
    """A member would be unpacked outside of the archive's folder."""
    path = save_small_model(folder, "path_outside")
    replace_members(path, {"assets/../../ran": b"it was unpacked"})
    return path


def symbolic_link(folder: Path) -> Path:
    """A member is a symbolic link out of the archive's folder."""
    path = save_small_model(folder, "symbolic_link")
    member = zipfile.ZipInfo("assets/link")
    member.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(member, str(folder))
    return path


REASONS = {  # of the refusal of each model
    saved_model: "it calls a program in another file (TFSMLayer), which is not run",
    lambda_layer: "it holds Python code (Lambda), which is not run",
    function_by_name: "it holds Python code (Lambda), which is not run",
    module_outside_keras: "it needs code that is not part of Keras (keras_hub>Own, of keras_hub)",
    external_storage: "its weights layers/dense/vars/1 are stored in another file",
    virtual_dataset: "its weights layers/dense/vars/1 are stored in another file",
    external_link: "its weights layers/dense/vars/1 are stored elsewhere (ExternalLink)",
    declared_by_config: "its layers declare 40,000,200,000 weights, and it holds 650",
    declared_by_weights: "its weights declare 160,000,000,040 bytes, of which it holds 40",
    many_declared: "its weights declare 1,440,480,000 bytes, of which it holds 0",
    constants: "its layer flat is called with constants only, not with images",
    long_config: "its config.json is larger than 8,388,608 bytes",
    bomb_of_config: "its member config.json would be unpacked to 536,870,912 bytes from ",
    bomb_of_weights: "its member model.weights.h5 would be unpacked to 536,870,912 bytes from ",
    bomb_of_many: "its members would be unpacked to 671,",
    path_outside: "its member assets/../../ran would be unpacked outside of its folder",
    symbolic_link: "its member assets/link is a symbolic link",
}
