"""Functions that numba compiles."""

import os
from collections.abc import Callable

from common.jobs import forget_variables

forget_variables("NUMBA_", kept=["NUMBA_CACHE_DIR", "NUMBA_NUM_THREADS"])

import numba  # noqa: E402, which reads them at once

numba.core.config._config_fname = os.devnull  # in the place of a .numba_config.yaml in the current folder
numba.core.config.reload_config()


def compiled(function: Callable) -> Callable:
    """Compile a function at its first call, by numba; it then runs beside others.

    What was compiled is kept for the next process, in __pycache__ beside this file or in the user's cache or where
    NUMBA_CACHE_DIR says; where nothing can be written, each process compiles, which takes a second or two.
    """
    # sums in any order, but division exact: 1 / 1 is to be 1, which t-SNE takes from Z for each point's 1 with itself
    options = {"nogil": True, "fastmath": {"nnan", "ninf", "nsz", "reassoc", "contract"}, "error_model": "numpy"}
    try:
        return numba.njit(cache=True, **options)(function)
    except RuntimeError:
        return numba.njit(**options)(function)
