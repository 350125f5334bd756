"""Keras on TensorFlow, set up alike for every script that uses it."""

import os

os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # at import it complains of missing GPUs

import keras
import tensorflow as tf

__all__ = ["keras", "tf", "use_threads"]


def use_threads(threads: int) -> None:
    """Compute with `threads` threads, and so that a second run gives the same; to be called before anything else."""
    tf.config.threading.set_intra_op_parallelism_threads(threads)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    tf.config.experimental.enable_op_determinism()
