"""Models and weights made to harm whoever loads them, each written into a folder as a file that Keras takes for one."""

import json
import stat
import zipfile
from pathlib import Path

import h5py
import numpy as np
import tensorflow as tf

from common.networks.keras_setup import keras

SECRET = b"a secret of the user's, forty bytes long"  # ten float32
HUGE = 200_000  # units, of a layer of 149 GiB of weights


def small_model() -> keras.Model:
    """Images 8 x 8 to ten classes."""
    images = keras.Input((8, 8, 1), name="images")
    flat = keras.layers.Flatten(name="flat")(images)
    return keras.Model(images, keras.layers.Dense(10, "softmax", name="softmax")(flat))


def rewrite(path: Path, **members: bytes | None) -> None:
    """Write the archive again with some members replaced (config, weights), and others added by their name."""
    names = {"config": "config.json", "weights": "model.weights.h5"}
    with zipfile.ZipFile(path) as archive:
        contents = {name: archive.read(name) for name in archive.namelist()}
    contents |= {names.get(name, name): content for name, content in members.items()}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in contents.items():
            archive.writestr(name, content)


def config_of(path: Path) -> dict:
    """The configuration in an archive."""
    with zipfile.ZipFile(path) as archive:
        return json.loads(archive.read("config.json"))


def with_layer(folder: Path, name: str, layer: dict) -> Path:
    """A model whose layer `flat` is described by `layer` (module, class_name, config, registered_name) in its place."""
    path = folder / f"{name}.keras"
    small_model().save(path)
    config = config_of(path)
    (flat,) = (entry for entry in config["config"]["layers"] if entry["name"] == "flat")
    flat |= layer
    flat["config"] = {"name": "flat"} | layer["config"]
    rewrite(path, config=json.dumps(config).encode())
    return path


class WritesAFile(tf.Module):
    """A SavedModel that writes a file when it is called."""

    def __init__(self, path: Path) -> None:
        """To write `path`."""
        super().__init__()
        self.path = str(path)

    @tf.function(input_signature=[tf.TensorSpec((None, 8, 8, 1))])
    def serve(self, images):
        with tf.control_dependencies([tf.io.write_file(self.path, "it ran")]):
            return tf.reshape(images, (-1, 64))


def saved_model_that_writes(folder: Path) -> Path:
    """Its layer loads a SavedModel whose operation writes the file `ran`."""
    module = WritesAFile(folder / "ran")
    tf.saved_model.save(module, str(folder / "saved_model"), signatures={"serve": module.serve})
    config = {"filepath": str(folder / "saved_model"), "call_endpoint": "serve", "call_training_endpoint": None}
    return with_layer(
        folder,
        "saved_model_that_writes",
        {"module": "keras.layers", "class_name": "TFSMLayer", "config": config, "registered_name": None},
    )


def lambda_layer(folder: Path, suffix: str = ".keras") -> Path:
    """Its layer is Python code, which writes the file `ran`."""
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
    """Its Lambda layer names a function of Python's library, to be called with what the file says."""
    function = {"module": "os", "class_name": "function", "config": "system", "registered_name": "system"}
    config = {"function": function, "arguments": {}, "trainable": True, "dtype": "float32"}
    return with_layer(
        folder,
        "function_by_name",
        {"module": "keras.layers", "class_name": "Lambda", "config": config, "registered_name": None},
    )


def module_outside_keras(folder: Path) -> Path:
    """Its layer is a class of a module that writes the file `ran` when it is imported."""
    (folder / "keras_hub.py").write_text(f"open({str(folder / 'ran')!r}, 'w').close()\n")
    return with_layer(
        folder,
        "module_outside_keras",
        {"module": "keras_hub", "class_name": "Own", "config": {}, "registered_name": "keras_hub>Own"},
    )


def edit_weights(weights: bytes, dataset: str, folder: Path, **creation: object) -> bytes:
    """HDF5 weights with one dataset created anew, or made the `link` or `layout` that is given."""
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


def weights_of(path: Path) -> bytes:
    """The weights in an archive."""
    with zipfile.ZipFile(path) as archive:
        return archive.read("model.weights.h5")


BIAS, KERNEL = "layers/dense/vars/1", "layers/dense/vars/0"


def leading_elsewhere(folder: Path) -> dict[str, dict]:
    """The ways in which a dataset of ten weights can be the content of another file, `secret` or `secret.h5`."""
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


def with_secret(folder: Path, way: str) -> Path:
    """The bias of its last layer is the content of another file."""
    path = folder / f"{way}.keras"
    small_model().save(path)
    rewrite(path, weights=edit_weights(weights_of(path), BIAS, folder, **leading_elsewhere(folder)[way]))
    return path


def external_storage(folder: Path) -> Path:
    """By external storage."""
    return with_secret(folder, "external_storage")


def virtual_dataset(folder: Path) -> Path:
    """By a virtual dataset."""
    return with_secret(folder, "virtual_dataset")


def external_link(folder: Path) -> Path:
    """By a link."""
    return with_secret(folder, "external_link")


def declared_by_config(folder: Path) -> Path:
    """Its layer declares 200,000 x 200,000 weights; the file holds 64 x 10."""
    path = folder / "declared_by_config.keras"
    small_model().save(path)
    text = json.dumps(config_of(path)).replace(json.dumps([None, 8, 8, 1]), json.dumps([None, HUGE]))
    text = text.replace(json.dumps([None, 64]), json.dumps([None, HUGE]))
    rewrite(path, config=text.replace('"units": 10', f'"units": {HUGE}').encode())
    return path


def declared_by_weights(folder: Path) -> Path:
    """So do its weights, which are not there."""
    path = declared_by_config(folder).rename(folder / "declared_by_weights.keras")
    rewrite(path, weights=declare(weights_of(path), folder))
    return path


def declare(weights: bytes, folder: Path, dataset: str = KERNEL) -> bytes:
    """HDF5 weights of which the kernel is of 149 GiB, and not there."""
    return edit_weights(weights, dataset, folder, shape=(HUGE, HUGE), dtype="f4", chunks=(1000, 1000))


def bomb(folder: Path, name: str, member: str, size: int = 2**29) -> Path:
    """An archive of which a member unpacks to 512 MiB, a thousand times what it holds."""
    path = folder / f"{name}.keras"
    small_model().save(path)
    with zipfile.ZipFile(path) as archive:
        contents = {entry: archive.read(entry) for entry in archive.namelist() if entry != member}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for entry, content in contents.items():
            archive.writestr(entry, content)
        with archive.open(member, "w", force_zip64=True) as stream:
            for _ in range(size // 2**24):
                stream.write(b" " * 2**24)
    return path


def bomb_of_config(folder: Path) -> Path:
    """Its configuration unpacks to 512 MiB."""
    return bomb(folder, "bomb_of_config", "config.json")


def bomb_of_weights(folder: Path) -> Path:
    """Its weights do."""
    return bomb(folder, "bomb_of_weights", "model.weights.h5")


def bomb_of_many(folder: Path) -> Path:
    """Twenty members unpack to 32 MiB each."""
    path = folder / "bomb_of_many.keras"
    small_model().save(path)
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive:
        for number in range(20):
            archive.writestr(f"assets/{number}", bytes(2**25))
    return path


def path_that_leaves(folder: Path) -> Path:
    """A member would be unpacked outside the folder that it is unpacked in."""
    path = folder / "path_that_leaves.keras"
    small_model().save(path)
    rewrite(path, **{"assets/../../ran": b"it was unpacked"})
    return path


def symbolic_link(folder: Path) -> Path:
    """A member is a symbolic link out of that folder."""
    path = folder / "symbolic_link.keras"
    small_model().save(path)
    member = zipfile.ZipInfo("assets/link")
    member.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(member, str(folder))
    return path


def many_declared(folder: Path) -> Path:
    """Forty layers of 3000 x 3000 weights, each less than what is small, and none of them there."""
    path = folder / "many_declared.keras"
    keras.Sequential([keras.Input((4,)), *(keras.layers.Dense(4) for _ in range(40))]).save(path)
    weights = weights_of(path)
    for number in range(40):
        layer = "layers/dense" + (f"_{number}" if number else "")
        weights = edit_weights(weights, f"{layer}/vars/0", folder, shape=(3000, 3000), dtype="f4", chunks=(100, 100))
        weights = edit_weights(weights, f"{layer}/vars/1", folder, shape=(3000,), dtype="f4", chunks=(100,))
    text = json.dumps(config_of(path)).replace("[null, 4]", "[null, 3000]").replace('"units": 4', '"units": 3000')
    rewrite(path, config=text.encode(), weights=weights)
    return path


def constants(folder: Path) -> Path:
    """Its layer makes of one number, which is in the configuration, 64 million, as it is built."""
    size = {"size": [8000, 8000], "data_format": "channels_last", "interpolation": "nearest"}
    layer = {"module": "keras.layers", "class_name": "UpSampling2D", "config": size, "registered_name": None}
    path = with_layer(folder, "constants", layer)
    config = config_of(path)
    (flat,) = (entry for entry in config["config"]["layers"] if entry["name"] == "flat")
    one = {"class_name": "__tensor__", "config": {"value": [[[[1.0]]]], "dtype": "float32"}}
    flat["inbound_nodes"] = [{"args": [one], "kwargs": {}}]
    flat.pop("build_config", None)
    rewrite(path, config=json.dumps(config).encode())
    return path


def long_config(folder: Path) -> Path:
    """Its configuration has ten million empty objects."""
    path = folder / "long_config.keras"
    small_model().save(path)
    config = json.dumps(config_of(path))
    rewrite(path, config=(config[:-1] + ', "more": [' + "{}," * 10_000_000 + "{}]}").encode())
    return path


MODELS = {  # each with the reason for which it is refused
    saved_model_that_writes: "it calls a program in another file (TFSMLayer), which is not run",
    lambda_layer: "it holds Python code (Lambda), which is not run",
    function_by_name: "it holds Python code (Lambda), which is not run",
    module_outside_keras: "it needs code that is not Keras' own (keras_hub>Own, of keras_hub)",
    external_storage: "its weights layers/dense/vars/1 are kept in another file",
    virtual_dataset: "its weights layers/dense/vars/1 are kept in another file",
    external_link: "its weights layers/dense/vars/1 are kept elsewhere (ExternalLink)",
    declared_by_config: "its layers declare 40,000,200,000 weights, and it holds 650",
    declared_by_weights: "its weights declare 160,000,000,040 bytes, of which it holds 40",
    many_declared: "its weights declare 1,440,480,000 bytes, of which it holds 0",
    constants: "its layer flat is called with constants alone, not with images",
    long_config: "its config.json is longer than 8,388,608 bytes",
    bomb_of_config: "its member config.json would be unpacked to 536,870,912 bytes from ",
    bomb_of_weights: "its member model.weights.h5 would be unpacked to 536,870,912 bytes from ",
    bomb_of_many: "its members would be unpacked to 671,",
    path_that_leaves: "its member assets/../../ran would leave the folder that it is unpacked in",
    symbolic_link: "its member assets/link is a symbolic link",
}
