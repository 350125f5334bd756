"""numba, set up alike for every module that compiles functions with it."""

import os
from collections.abc import Callable

from common.environment import forget_variables

forget_variables("NUMBA_", kept=["NUMBA_CACHE_DIR", "NUMBA_NUM_THREADS"])

import numba  # noqa: E402, which reads the variables at once

numba.core.config._config_fname = os.devnull  # instead of a .numba_config.yaml in the current folder
numba.core.config.reload_config()


def compiled(function: Callable) -> Callable:
    """Return the function as numba compiles it at its first call; it releases the GIL.

    The machine code is cached for the next process, in __pycache__ beside the module, in the user's cache, or where
    NUMBA_CACHE_DIR says. Where nothing can be written, each process compiles, which takes a second or two.
    """
    # Sums may be reordered, but division stays exact: t-SNE subtracts each point's 1 / 1 with itself from Z.
    options = {"nogil": True, "fastmath": {"nnan", "ninf", "nsz", "reassoc", "contract"}, "error_model": "numpy"}
    try:
        return numba.njit(cache=True, **options)(function)
    except RuntimeError:
        return numba.njit(**options)(function)
