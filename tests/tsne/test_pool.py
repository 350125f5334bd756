"""Threads that share the work on an array."""

import os
import threading

import pytest

from common.tsne.descent.pool import BlockPool


@pytest.mark.parametrize("threads", [1, 2, 5])
@pytest.mark.parametrize("count", [0, 3, 16, 1001])
def test_blocks_make_up_the_range_whatever_the_number_of_threads(threads, count):
    blocks = []
    with BlockPool(threads) as pool:
        pool.run(count, lambda name, first, last: blocks.append((first, last)) or name.upper(), "argument")
    blocks.sort()
    assert len(blocks) == min(count, 16), "no block is empty"
    assert [row for block in blocks for row in range(*block)] == list(range(count))
    sizes = [last - first for first, last in blocks]
    assert not sizes or max(sizes) - min(sizes) <= 1


@pytest.mark.parametrize("threads", [2, 4])
def test_so_many_threads_share_the_work(threads):
    together, workers = threading.Barrier(threads, timeout=20), set()

    def work(first, last):
        together.wait()
        workers.add(threading.current_thread())

    with BlockPool(threads) as pool:
        pool.run(100, work)
    assert len(workers) == threads and threading.main_thread() in workers


def test_one_thread_is_the_calling_one():
    workers = set()
    with BlockPool(1) as pool:
        pool.run(100, lambda first, last: workers.add(threading.current_thread()))
    assert workers == {threading.current_thread()}


@pytest.mark.parametrize("threads", [1, 2])
def test_error_in_the_work_reaches_the_caller(threads):
    with BlockPool(threads) as pool, pytest.raises(ZeroDivisionError):
        pool.run(100, lambda first, last: 1 // first)


def test_threads_end_with_the_pool():
    before = threading.active_count()
    with BlockPool(3) as pool:
        pool.run(100, lambda first, last: threading.Event().wait(0.01))
        assert threading.active_count() > before
    assert threading.active_count() == before


def test_waiting_for_other_threads_takes_no_time_of_the_processor():
    def work(first, last):
        if threading.current_thread() is not threading.main_thread():
            threading.Event().wait(0.5)

    with BlockPool(2) as pool:
        before = os.times()
        while (after := os.times()).elapsed - before.elapsed < 0.4:
            pool.run(100, work)  # once the other thread has begun, it is waited for
    assert after.user + after.system - before.user - before.system < 0.3
