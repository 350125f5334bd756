"""Keras on TensorFlow, set up alike for every script that uses it."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from common.environment import forget_variables


@contextmanager
def _silence_stderr() -> Iterator[None]:
    """Discard what is written to the standard error stream, by C++ libraries too."""
    saved, null = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 2)
    try:
        yield
    finally:
        os.dup2(saved, 2)
        os.close(saved)
        os.close(null)


@contextmanager
def _hide(*packages: str) -> Iterator[None]:
    """Keep packages from being imported by others, if they are not imported yet."""
    hidden = [name for name in packages if name not in sys.modules]
    sys.modules.update(dict.fromkeys(hidden))
    try:
        yield
    finally:
        for name in hidden:
            del sys.modules[name]


# Neither the user's keras.json, which Keras reads from KERAS_HOME, nor environment variables may change a network.
forget_variables("KERAS_", "TF_USE_LEGACY_KERAS", "TF_XLA_FLAGS")
os.environ |= {"KERAS_BACKEND": "tensorflow", "KERAS_HOME": os.devnull}
# TensorFlow's own choice is oneDNN only on the newest processors; with AVX2, a training step takes two thirds as long.
os.environ["TF_ENABLE_ONEDNN_OPTS"] = "1"
# TensorFlow warns about GPU libraries at import, on machines without a GPU too. Keras imports packages for functions
# that nothing here uses, which is two fifths of the time.
with _silence_stderr(), _hide("sklearn", "matplotlib", "pandas"):
    import keras
    import tensorflow as tf

__all__ = ["keras", "tf", "use_devices"]


def use_devices(threads: int, gpu: bool = False) -> None:
    """Compute reproducibly with `threads` threads; to be called before anything else.

    The GPU is visible only to a job that requested it, since TensorFlow takes all of its memory.
    """
    if not gpu:
        tf.config.set_visible_devices([], "GPU")
    tf.config.threading.set_intra_op_parallelism_threads(threads)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    tf.config.experimental.enable_op_determinism()
