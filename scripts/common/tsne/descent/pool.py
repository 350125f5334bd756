"""Threads that share the work on an array, with the same result for any number of threads."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from types import TracebackType
from typing import Any, Self

import numpy as np

BLOCKS = 16  # of an array, whatever the number of threads


class BlockPool:
    """Threads that share the work on fixed blocks of an array. Idle threads sleep."""

    def __init__(self, threads: int) -> None:
        """Use this number of threads, including the calling one."""
        self.threads = threads
        self.pool = ThreadPoolExecutor(threads - 1) if threads > 1 else None

    def __enter__(self) -> Self:
        """Return the pool, whose threads end with the `with` statement."""
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """End the threads."""
        if self.pool:
            self.pool.shutdown(cancel_futures=True)

    def run(self, count: int, work: Callable, *arguments: Any) -> None:
        """Call work(*arguments, first, last) for the blocks of range(count); `work` must release the GIL."""
        blocks = list(pairwise(np.unique(np.linspace(0, count, BLOCKS + 1).astype(int)).tolist()))
        futures = [self.pool.submit(work, *arguments, *block) if self.pool else None for block in blocks]
        for block, future in reversed(list(zip(blocks, futures, strict=True))):  # the other threads start at the first
            if future is None or future.cancel():
                work(*arguments, *block)
            else:
                future.result()
