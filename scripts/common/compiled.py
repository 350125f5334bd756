"""Functions that numba compiles."""

from collections.abc import Callable

import numba


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
