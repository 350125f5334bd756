"""Chunks of a matrix: how large they are, and that they divide all rows."""

import pytest

from common.knn.chunks import chunks, rows_that_fit, scattered_chunk


@pytest.mark.parametrize(
    ("memory_mb", "width", "rows"),
    [(1, 250, 1000), (2.5, 250, 2500), (1, 249, 1004), (1e-9, 250, 1), (1, 0, 250_000), (8000, 1, 2_000_000_000)],
)
def test_so_many_rows_of_single_precision_fit_into_the_memory(memory_mb, width, rows):
    assert rows_that_fit(memory_mb, width) == rows


def test_chunks_have_the_size_but_for_the_last_one():
    assert list(chunks(10, 4)) == [slice(0, 4), slice(4, 8), slice(8, 10)]
    assert list(chunks(8, 4)) == [slice(0, 4), slice(4, 8)]
    assert list(chunks(0, 4)) == []


@pytest.mark.parametrize("count", [0, 5, 16, 1297])
def test_scattered_chunks_are_all_rows_in_order_in_equal_parts(count):
    parts = [scattered_chunk(count, f"{number}-of-16") for number in range(1, 17)]
    assert [row for part in parts for row in range(count)[part]] == list(range(count))
    sizes = [part.stop - part.start for part in parts]
    assert max(sizes) - min(sizes) <= 1
