"""Keras as every script uses it, whatever the user has set for other work."""

import json
import os
import platform
import subprocess
import sys

import pytest

from common.networks.keras_setup import _hide, _silence_stderr, keras
from helpers import ROOT

PROGRAM = """
import json, sys
from common.networks.keras_setup import keras, tf, use_devices
from tensorflow.python.framework.config import is_op_determinism_enabled

hidden = []
tf.config.set_visible_devices = lambda devices, kind: hidden.append([devices, kind])
use_devices(3, **json.loads(sys.argv[1]))
print("an error", file=sys.stderr)
threading = tf.config.threading
print(json.dumps({
    "threads": [threading.get_intra_op_parallelism_threads(), threading.get_inter_op_parallelism_threads()],
    "deterministic": is_op_determinism_enabled(),
    "floatx": keras.config.floatx(),
    "backend": keras.config.backend(),
    "hidden": hidden,
    "unused": [name for name in ("sklearn", "matplotlib", "pandas") if name in sys.modules],
}))
"""


@pytest.mark.slow
@pytest.mark.parametrize(("arguments", "hidden"), [({}, [[[], "GPU"]]), ({"gpu": True}, [])])
def test_keras_computes_alike_whatever_the_user_has_set(tmp_path, arguments, hidden):
    (tmp_path / "keras.json").write_text(json.dumps({"floatx": "float16", "backend": "jax"}))
    environment = os.environ | {"PYTHONPATH": str(ROOT / "scripts"), "KERAS_HOME": str(tmp_path)}
    environment |= {"KERAS_BACKEND": "torch"}
    command = [sys.executable, "-c", PROGRAM, json.dumps(arguments)]
    result = subprocess.run(command, capture_output=True, text=True, env=environment)
    assert result.returncode == 0, result.stderr
    assert "an error" in result.stderr
    assert json.loads(result.stdout) == {
        "threads": [3, 1],
        "deterministic": True,
        "floatx": "float32",
        "backend": "tensorflow",
        "hidden": hidden,
        "unused": [],
    }


CONVOLUTION = """
import numpy as np
from common.networks.keras_setup import keras

keras.Sequential([keras.Input((28, 28, 1)), keras.layers.Conv2D(20, 5)]).predict(np.zeros((64, 28, 28, 1)), verbose=0)
"""


@pytest.mark.slow
@pytest.mark.skipif(platform.machine() not in ("x86_64", "AMD64"), reason="oneDNN is for x86-64 processors")
def test_convolutions_are_those_of_onednn(tmp_path):
    environment = os.environ | {
        "PYTHONPATH": str(ROOT / "scripts"),
        "ONEDNN_VERBOSE": "1",
        "TF_ENABLE_ONEDNN_OPTS": "0",
    }
    result = subprocess.run([sys.executable, "-c", CONVOLUTION], capture_output=True, text=True, env=environment)
    assert result.returncode == 0, result.stderr
    assert ",convolution," in result.stdout


def test_keras_runs_on_tensorflow_in_single_precision():
    assert (keras.config.backend(), keras.config.floatx()) == ("tensorflow", "float32")


def test_standard_error_is_silent_within_the_block_only(capfd):
    with _silence_stderr():
        os.write(2, b"a warning of a library\n")
    os.write(2, b"an error\n")
    with pytest.raises(ValueError), _silence_stderr():
        raise ValueError
    os.write(2, b"another\n")
    assert capfd.readouterr().err == "an error\nanother\n"


def test_package_is_hidden_within_the_block_unless_it_is_imported_already():
    with _hide("json", "wave"):
        assert __import__("json") is json
        with pytest.raises(ImportError):
            import wave
    import wave

    assert wave.open
