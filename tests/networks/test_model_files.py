"""The checks of model files, one by one, and models that pass them."""

import json
import stat
import zipfile

import h5py
import numpy as np
import pytest
from import_model import load_user_model

from common.errors import UserError
from common.networks import model_files
from common.networks.keras_setup import keras
from common.networks.model_files import (
    check_config,
    check_member,
    check_model,
    check_weights,
    count_weights,
    load_network,
    remove_compile_config,
)
from networks.hostile_files import (
    CONFIG,
    read_config,
    replace_config,
    replace_members,
    save_small_model,
    small_model,
)
from networks.hostile_models import declared_by_config


def make_member(name: str = "config.json", size: int = 0, packed: int = 0, kind: int = zipfile.ZIP_DEFLATED):
    """Return an entry of an archive."""
    member = zipfile.ZipInfo(name)
    member.file_size, member.compress_size, member.compress_type = size, packed, kind
    return member


@pytest.mark.parametrize("name", ["/etc/passwd", "../ran", "assets/../../ran", "assets\\..\\ran"])
def test_member_outside_of_the_folder_is_refused(name):
    with pytest.raises(UserError, match="would be unpacked outside of its folder"):
        check_member(make_member(name))


def test_symbolic_link_is_refused():
    member = make_member("assets/link")
    check_member(member)
    member.external_attr = (stat.S_IFREG | 0o644) << 16
    check_member(member)
    member.external_attr = (stat.S_IFLNK | 0o777) << 16
    with pytest.raises(UserError, match="its member assets/link is a symbolic link"):
        check_member(member)


def test_member_may_unpack_to_64_mib_plus_ten_times_its_size():
    largest = 64 * 2**20 + 10 * 1000
    for kind in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        check_member(make_member(size=largest, packed=1000, kind=kind))
    with pytest.raises(UserError, match=r"config\.json would be unpacked to 67,118,865 bytes from 1,000"):
        check_member(make_member(size=largest + 1, packed=1000))


def test_compression_that_zipfile_cannot_bound_is_refused():
    with pytest.raises(UserError, match="would be unpacked to 5 bytes from 4"):
        check_member(make_member(size=5, packed=4, kind=zipfile.ZIP_LZMA))


def test_members_together_may_unpack_to_as_much_as_one(tmp_path, monkeypatch):
    path = save_small_model(tmp_path, "many")
    replace_members(path, {})  # packs them
    with zipfile.ZipFile(path) as archive:
        members = archive.infolist()
    size, packed = sum(member.file_size for member in members), sum(member.compress_size for member in members)
    monkeypatch.setattr(model_files, "EXPANSION", 1)
    monkeypatch.setattr(model_files, "SMALL", size - packed)
    check_model(path)
    monkeypatch.setattr(model_files, "SMALL", size - packed - 1)
    with pytest.raises(UserError, match=f"^its members would be unpacked to {size:,} bytes from {packed:,}$"):
        check_model(path)


def test_configuration_may_have_eight_mib(tmp_path):
    path = save_small_model(tmp_path, "long")
    config = json.dumps(read_config(path)).encode()
    replace_members(path, {CONFIG: config.ljust(8 * 2**20)})
    check_model(path)
    replace_members(path, {CONFIG: config.ljust(8 * 2**20 + 1)})
    with pytest.raises(UserError, match=r"its config\.json is larger than 8,388,608 bytes"):
        check_model(path)


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ({"class_name": "Lambda"}, "it holds Python code (Lambda), which is not run."),
        ({"class_name": "__lambda__", "module": "builtins"}, "it holds Python code"),
        *(
            ({"class_name": name, "module": "keras.layers"}, f"it calls a program in another file ({name})")
            for name in ("TFSMLayer", "JaxLayer", "FlaxLayer", "TorchModuleWrapper")
        ),
        ({"class_name": "Mine", "module": "mine.layers"}, "it needs code that is not part of Keras (Mine, of mine"),
        (
            {"class_name": "Mine", "module": "keras_hub", "registered_name": "hub>Mine"},
            "it needs code that is not part of Keras (hub>Mine, of keras_hub). Build it from Keras' own layers",
        ),
        (
            {"class_name": "Dense", "name": "d", "inbound_nodes": [{"args": [{"class_name": "__tensor__"}]}]},
            "its layer d is called with constants only, not with images",
        ),
        ({"class_name": "Dense", "inbound_nodes": [{"args": []}]}, "its layer Dense is called with constants only"),
    ],
)
@pytest.mark.parametrize("nest", [lambda entry: entry, lambda entry: {"config": {"layers": [0, "text", [entry]]}}])
def test_configuration_with_code_is_refused_at_any_depth(entry, message, nest):
    with pytest.raises(UserError) as raised:
        check_config(nest(entry))
    assert f"{raised.value}".startswith(message)


@pytest.mark.parametrize(
    "entry",
    [
        {"class_name": "Dense", "module": "keras.layers", "inbound_nodes": []},
        {"class_name": "Dense", "module": None, "inbound_nodes": None},
        {"class_name": "function", "module": "builtins"},
        {"class_name": 3, "module": "os"},
        {"class_name": "Add", "inbound_nodes": [{"args": [{"class_name": "__keras_tensor__"}, 1.0]}]},
        {"class_name": "Dense", "inbound_nodes": [["images", 0, 0, {}]]},  # of an older Keras
        "text",
    ],
)
def test_configuration_of_keras_is_accepted(entry):
    check_config(entry)


@pytest.fixture
def weights(tmp_path):
    """A function that writes an HDF5 file with these datasets, and returns its path."""

    def write(**datasets):
        with h5py.File(tmp_path / "own.h5", "w") as file:
            for name, content in datasets.items():
                file.create_dataset(f"layers/{name}", **content)
        return tmp_path / "own.h5"

    return write


def test_stored_weights_are_counted(weights):
    path = weights(a={"data": np.ones((3, 4))}, b={"data": np.ones(5, int)}, c={"data": np.ones(2, bool)})
    assert check_weights(path) == 19
    path = weights(c={"data": np.array([1 + 1j])})
    with pytest.raises(UserError, match="its weights layers/c are complex128, not numbers"):
        check_weights(path)


def test_soft_link_is_refused_in_weights(weights):
    path = weights(a={"data": np.ones(3)})
    with h5py.File(path, "r+") as file:
        file["again"] = h5py.SoftLink("/layers/a")
    with pytest.raises(UserError, match=r"its weights again are stored elsewhere \(SoftLink\)"):
        check_weights(path)


def test_weights_may_declare_64_mib_plus_ten_times_what_is_stored(weights, monkeypatch):
    stored = {"data": np.arange(1000, dtype="f4")}
    missing = {"shape": (2**24 + 9 * 1000,), "dtype": "f4", "chunks": (1000,)}
    assert check_weights(weights(a=stored, b=missing)) == 2**24 + 10 * 1000
    missing["shape"] = (2**24 + 9 * 1000 + 1,)
    with pytest.raises(UserError, match=r"its weights declare 67,148,868 bytes, of which it holds 4,000$"):
        check_weights(weights(a=stored, b=missing))


def test_weights_are_counted_without_being_allocated(tmp_path):
    config = read_config(save_small_model(tmp_path, "small"))
    assert count_weights(config) == 650
    assert count_weights(read_config(declared_by_config(tmp_path))) == 40_000_200_000
    keras.layers.Lambda(lambda tensor: tensor)(keras.Input((3,)))  # Keras would allocate here what it has put off


def test_few_weights_may_be_missing(tmp_path, monkeypatch):
    path = save_small_model(tmp_path, "small")
    config = read_config(path)
    config["config"]["layers"][-1]["config"]["units"] = 11
    replace_config(path, config)
    monkeypatch.setattr(model_files, "SLACK", 65)
    check_model(path)
    monkeypatch.setattr(model_files, "SLACK", 64)
    with pytest.raises(UserError, match=r"declare 715 weights, and it holds 650\. Save it again without LoRA"):
        check_model(path)


@pytest.mark.usefixtures("eagerly")
def test_training_of_a_model_is_ignored(tmp_path):
    model = small_model()
    model.compile("adam", lambda truth, output: output)
    model.save(tmp_path / "own_loss.keras")
    assert load_user_model(tmp_path / "own_loss.keras").count_params() == 650
    inner = small_model()
    inner.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    inner.fit(np.zeros((4, 8, 8, 1)), np.zeros(4), verbose=0)
    images = keras.Input((8, 8, 1))
    keras.Model(images, keras.layers.Dense(3)(inner(images))).save(tmp_path / "nested.keras")
    assert load_user_model(tmp_path / "nested.keras").count_params() == 683
    config = [{"compile_config": 1, "a": {"compile_config": 2, "b": [3, "compile_config"]}}]
    assert remove_compile_config(config) == [{"a": {"b": [3, "compile_config"]}}]


def test_network_of_the_workflow_is_loaded_or_named_as_damaged(tmp_path):
    path = save_small_model(tmp_path, "network")
    assert load_network(path).count_params() == 650
    path.write_bytes(path.read_bytes()[:-30])
    with pytest.raises(
        UserError, match=rf"^{path} is damaged \(BadZipFile: .*\)\. Rebuild: snakemake .* --force {path}"
    ):
        load_network(path)
