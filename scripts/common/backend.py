"""Keras on TensorFlow, set up alike for every script that uses it."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

from common.jobs import forget_variables


@contextmanager
def _silence() -> Iterator[None]:
    """Discard what is written to the standard error stream, by C++ libraries too."""
    saved, null = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 2)
    try:
        yield
    finally:
        os.dup2(saved, 2)
        os.close(saved)
        os.close(null)


# Neither the user's keras.json, for which Keras looks in KERAS_HOME, nor variables change what a network is.
forget_variables("KERAS_", "TF_ENABLE_ONEDNN_OPTS", "TF_USE_LEGACY_KERAS", "TF_XLA_FLAGS")
os.environ |= {"KERAS_BACKEND": "tensorflow", "KERAS_HOME": os.devnull}
with _silence():  # at import, TensorFlow complains of GPU libraries, whether it has a GPU to use or not
    import keras
    import tensorflow as tf

__all__ = ["keras", "tf", "use_devices"]


def use_devices(threads: int, gpu: bool = False) -> None:
    """Compute with `threads` threads, and so that a second run gives the same; to be called before anything else.

    A GPU is used only by a job that has asked for it, since TensorFlow takes all of its memory.
    """
    if not gpu:
        tf.config.set_visible_devices([], "GPU")
    tf.config.threading.set_intra_op_parallelism_threads(threads)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    tf.config.experimental.enable_op_determinism()
