"""Hostile models and weights are refused with a reason, before any part of them is used."""

import os
import subprocess
import sys

import pytest
from import_model import load_application, load_user_model

from common.errors import UserError
from common.networks.model_files import load_network
from helpers import ROOT, only_error
from networks import hostile_files, hostile_models

MAX_MEMORY = 300 * 2**20  # bytes that a refusal may take


BOMBS = (hostile_models.bomb_of_config, hostile_models.bomb_of_weights, hostile_models.bomb_of_many)


@pytest.mark.parametrize(
    "make",
    [
        pytest.param(make, id=make.__name__, marks=[pytest.mark.slow] if make in BOMBS else [])
        for make in hostile_models.REASONS
    ],
)
def test_hostile_model_is_refused_and_no_part_of_it_used(make, tmp_path, monkeypatch):
    path, reason = make(tmp_path), hostile_models.REASONS[make]
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)  # so that a module outside of Keras could be imported
    with pytest.raises(UserError) as raised:
        load_user_model(path)
    assert f"{raised.value}".startswith(f"network.model: {path} cannot be loaded: {reason}")
    with pytest.raises(UserError) as raised:
        load_network(path)
    assert f"{raised.value}".startswith(f"{path} is damaged ({reason}")
    assert not (tmp_path / "ran").exists()


MEASURED = """
import resource, sys
from import_model import load_user_model
from common.errors import UserError

peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
before = peak()
for path in sys.argv[1:]:
    try:
        load_user_model(path)
    except UserError:
        continue
    sys.exit(f"{path} was loaded")
print(peak() - before)
"""


@pytest.mark.slow
def test_refusal_takes_little_memory(tmp_path):
    paths = [make(tmp_path) for make in hostile_models.REASONS]
    environment = os.environ | {"PYTHONPATH": str(ROOT / "scripts")}
    command = [sys.executable, "-c", MEASURED, *map(str, paths)]
    result = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    assert int(result.stdout) < MAX_MEMORY


@pytest.mark.parametrize("suffix", [".weights.h5", ".h5"])
@pytest.mark.parametrize("kind", ["external_storage", "virtual_dataset", "external_link", "declared"])
def test_hostile_weights_are_refused_and_not_read(kind, suffix, tmp_path):
    path = tmp_path / f"own{suffix}"
    model = hostile_files.small_model()
    model.save_weights(path) if suffix == ".weights.h5" else model.save(path)
    folder = "layers/dense/vars" if suffix == ".weights.h5" else "model_weights/softmax/softmax"
    kernel, bias = ("0", "1") if suffix == ".weights.h5" else ("kernel", "bias")
    if kind == "declared":
        content = hostile_files.declare_huge(path.read_bytes(), tmp_path, f"{folder}/{kernel}")
        reason = "its weights declare 160,000,000,040 bytes, of which it holds 40"
    else:
        way = hostile_files.references_to_secret(tmp_path)[kind]
        content = hostile_files.edit_weights(path.read_bytes(), f"{folder}/{bias}", tmp_path, **way)
        where = "elsewhere (ExternalLink)" if kind == "external_link" else "in another file"
        reason = f"its weights {folder}/{bias} are stored {where}"
    path.write_bytes(content)
    with pytest.raises(UserError) as raised:
        load_application("keras.applications.MobileNetV2", path, (32, 32))
    assert f"{raised.value}" == f"network.weights: {path} cannot be read: {reason}"


@pytest.mark.slow
def test_code_in_a_whole_model_given_as_weights_is_not_run(tmp_path):
    """An .h5 file of Keras 2 can have a model with code beside its weights."""
    path = hostile_models.lambda_layer(tmp_path, suffix=".h5")
    with pytest.raises(UserError, match=r"lambda_layer\.h5 does not fit keras\.applications\.MobileNetV2"):
        load_application("keras.applications.MobileNetV2", path, (32, 32))
    assert not (tmp_path / "ran").exists()


@pytest.mark.slow
def test_content_of_another_file_does_not_reach_the_results(fresh, tmp_path):
    workflow = fresh.copy(tmp_path / "workflow")
    path = hostile_models.external_storage(tmp_path)
    network = {"model": str(path)}
    workflow.configure(datasets={"Mine": {"digits": True, "network": network, "layers": ["pixel", "softmax"]}})
    result = workflow.run("--", "results/Mine/features/softmax.npy")
    assert only_error(result).startswith(
        f"network.model: {path} cannot be loaded: {hostile_models.REASONS[hostile_models.external_storage]}"
    )
    files = [file for file in (workflow.folder / "results").rglob("*") if file.is_file()]
    assert files and not any(hostile_files.SECRET in file.read_bytes() for file in files)
    assert not (workflow.folder / "results/Mine/network/network.keras").exists()
