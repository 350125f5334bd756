"""A user's own settings of Keras, matplotlib and numba, made for other work, do not change a result."""

import json
import os
import shutil
import subprocess
import sys

import pytest

from common.environment import forget_variables
from helpers import ROOT

MATPLOTLIBRC = """savefig.bbox: tight
axes.grid: True
font.size: 30
text.usetex: True
savefig.transparent: True
image.cmap: gray
lines.markeredgewidth: 5
"""
KERAS = {"floatx": "float16", "epsilon": 0.1, "backend": "jax", "image_data_format": "channels_first"}


@pytest.mark.slow
@pytest.mark.parametrize("place", ["matplotlibrc", "elsewhere/matplotlibrc"])
def test_matplotlibrc_does_not_change_figures(workflow, place):
    path = workflow.folder / place
    path.parent.mkdir(exist_ok=True)
    path.write_text(MATPLOTLIBRC)
    figures = workflow.folder / "results/figures"
    before = {figure.name: figure.read_bytes() for figure in figures.iterdir()}
    shutil.rmtree(figures)
    variables = {"MATPLOTLIBRC": str(path)} if place.startswith("elsewhere") else {}
    result = workflow.run(**variables)
    assert result.returncode == 0, result.stderr
    assert {figure.name: figure.read_bytes() for figure in figures.iterdir()} == before


@pytest.mark.slow
def test_settings_of_keras_do_not_change_the_network(workflow, tmp_path):
    (tmp_path / "home/.keras").mkdir(parents=True)
    settings = tmp_path / "home/.keras/keras.json"
    settings.write_text(json.dumps(KERAS))
    results = workflow.folder / "results/Small"
    outputs = ["network/history.csv", "network/conv1_filters.npy", "network/predictions.csv", "features/dense3.npy"]
    before = {path: (results / path).read_bytes() for path in outputs}
    shutil.rmtree(results / "network")
    (results / "features/dense3.npy").unlink()
    variables = {"HOME": str(tmp_path / "home"), "KERAS_BACKEND": "torch", "KERAS_MAX_EPOCHS": "1"}
    variables |= {"TF_ENABLE_ONEDNN_OPTS": "0", "KERAS_HOME": str(tmp_path / "home/.keras")}
    result = workflow.run("--", *(f"results/Small/{path}" for path in outputs), **variables)
    assert result.returncode == 0, result.stderr
    assert {path: (results / path).read_bytes() for path in outputs} == before
    assert json.loads(settings.read_text()) == KERAS and [*settings.parent.iterdir()] == [settings]


NUMBA = """
import numpy as np
import numba
from common.numba_setup import compiled

double = compiled(lambda x: 2 * x)
assert double(np.float32(2)) == 4
print(numba.config.DISABLE_JIT, numba.config.OPT == 3, numba.config.CPU_NAME, len(double.signatures))
"""


@pytest.mark.slow
def test_settings_of_numba_do_not_change_compilation(tmp_path):
    (tmp_path / ".numba_config.yaml").write_text("disable_jit: 1\nopt: 0\ncpu_name: generic\n")
    environment = os.environ | {"PYTHONPATH": str(ROOT / "scripts"), "NUMBA_DISABLE_JIT": "1", "NUMBA_OPT": "0"}
    command = [sys.executable, "-c", NUMBA]
    result = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, env=environment)
    assert result.stdout.split() == ["0", "True", "None", "1"], result.stdout + result.stderr


def test_variables_of_other_work_are_forgotten(monkeypatch):
    for name in ("LIBRARY_A", "LIBRARY_B", "LIBRARYX", "OTHER_LIBRARY_A", "FLAG"):
        monkeypatch.setenv(name, "1")
    forget_variables("LIBRARY_", "FLAG", kept=["LIBRARY_B"])
    assert {name for name in os.environ if "LIBRARY" in name or name == "FLAG"} == {
        "LIBRARY_B",
        "LIBRARYX",
        "OTHER_LIBRARY_A",
    }
