"""Models and weights that would harm whoever loads them are refused, with a reason, before anything of them is used."""

import os
import subprocess
import sys

import hostile_models
import numpy as np
import pytest
from import_model import load_application, load_model

from common.errors import UserError
from common.networks.keras_setup import keras
from common.networks.model_files import count_weights, load_network
from helpers import ROOT, only_error

KINDS = ("external_storage", "virtual_dataset", "external_link")
SMALL = 300 * 2**20  # bytes of memory, that a refusal may take


@pytest.mark.parametrize("make", hostile_models.MODELS, ids=lambda make: make.__name__)
def test_hostile_model_is_refused_and_nothing_of_it_used(make, tmp_path, monkeypatch):
    path, reason = make(tmp_path), hostile_models.MODELS[make]
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)  # so that the module that is outside of Keras could be imported
    with pytest.raises(UserError) as raised:
        load_model(path)
    assert f"{raised.value}".startswith(f"network.model: {path} cannot be loaded: {reason}")
    assert not (tmp_path / "ran").exists()
    with pytest.raises(UserError) as raised:
        load_network(path)
    assert f"{raised.value}".startswith(f"{path} is damaged ({reason}") and not (tmp_path / "ran").exists()


MEASURED = """
import resource, sys
from import_model import load_model
from common.errors import UserError

peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
before = peak()
for path in sys.argv[1:]:
    try:
        load_model(path)
    except UserError:
        continue
    sys.exit(f"{path} was loaded")
print(peak() - before)
"""


def test_refusal_takes_little_memory(tmp_path):
    paths = [make(tmp_path) for make in hostile_models.MODELS]
    environment = os.environ | {"PYTHONPATH": str(ROOT / "scripts")}
    command = [sys.executable, "-c", MEASURED, *map(str, paths)]
    result = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    assert int(result.stdout) < SMALL


@pytest.mark.parametrize("suffix", [".weights.h5", ".h5"])
@pytest.mark.parametrize("kind", [*KINDS, "declared"])
def test_hostile_weights_are_refused_and_nothing_of_them_read(kind, suffix, tmp_path):
    path = tmp_path / f"own{suffix}"
    model = hostile_models.small_model()
    model.save_weights(path) if suffix == ".weights.h5" else model.save(path)
    folder = "layers/dense/vars" if suffix == ".weights.h5" else "model_weights/softmax/softmax"
    kernel, bias = ("0", "1") if suffix == ".weights.h5" else ("kernel", "bias")
    if kind == "declared":
        content = hostile_models.declare(path.read_bytes(), tmp_path, f"{folder}/{kernel}")
        reason = "its weights declare 160,000,000,040 bytes, of which it holds 40"
    else:
        way = hostile_models.leading_elsewhere(tmp_path)[kind]
        content = hostile_models.edit_weights(path.read_bytes(), f"{folder}/{bias}", tmp_path, **way)
        where = "elsewhere (ExternalLink)" if kind == "external_link" else "in another file"
        reason = f"its weights {folder}/{bias} are kept {where}"
    path.write_bytes(content)
    with pytest.raises(UserError) as raised:
        load_application("keras.applications.MobileNetV2", path, (32, 32))
    assert f"{raised.value}" == f"network.weights: {path} cannot be read: {reason}"


def test_whole_model_as_weights_runs_nothing(tmp_path):
    """An .h5 file that has a model with code beside its weights, as Keras 2 wrote them."""
    hostile_models.lambda_layer(tmp_path, suffix=".h5")
    with pytest.raises(UserError, match=r"lambda_layer\.h5 does not fit keras\.applications\.MobileNetV2"):
        load_application("keras.applications.MobileNetV2", tmp_path / "lambda_layer.h5", (32, 32))
    assert not (tmp_path / "ran").exists()


def test_weights_are_counted_without_being_made(tmp_path):
    path = tmp_path / "small.keras"
    hostile_models.small_model().save(path)
    assert count_weights(hostile_models.config_of(path)) == 650
    assert load_model(path).count_params() == 650
    huge = hostile_models.config_of(hostile_models.declared_by_config(tmp_path))
    assert count_weights(huge) == 40_000_200_000
    keras.layers.Lambda(lambda tensor: tensor)(keras.Input((3,)))  # Keras makes here what is still to be made


def test_what_a_model_was_trained_with_is_no_matter(tmp_path):
    model = hostile_models.small_model()
    model.compile("adam", lambda truth, output: output)
    model.save(tmp_path / "own_loss.keras")
    assert load_model(tmp_path / "own_loss.keras").count_params() == 650
    inner = hostile_models.small_model()
    inner.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    inner.fit(np.zeros((4, 8, 8, 1)), np.zeros(4), verbose=0)
    images = keras.Input((8, 8, 1))
    keras.Model(images, keras.layers.Dense(3)(inner(images))).save(tmp_path / "nested.keras")
    assert load_model(tmp_path / "nested.keras").count_params() == 683


def test_nothing_of_another_file_comes_into_the_results(fresh, tmp_path):
    workflow = fresh.copy(tmp_path / "workflow")
    path = hostile_models.external_storage(tmp_path)
    network = {"model": str(path)}
    workflow.configure(datasets={"Mine": {"digits": True, "network": network, "layers": ["pixel", "softmax"]}})
    result = workflow.run("--", "results/Mine/features/softmax.npy")
    assert only_error(result).startswith(f"network.model: {path} cannot be loaded: its weights layers/dense/vars/1 are")
    files = [file for file in (workflow.folder / "results").rglob("*") if file.is_file()]
    assert files and not any(hostile_models.SECRET in file.read_bytes() for file in files)
    assert not (workflow.folder / "results/Mine/network/network.keras").exists()
