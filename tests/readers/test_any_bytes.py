"""Any bytes in the place of a data set: they are read as they were written, or refused in one line, in little memory.

The reader of a file from outside is tried with random bytes, with good files that were changed here and there, and with
files made to do harm.
"""

import gzip
import io
import pickle
import pickletools
import zipfile

import numpy as np
import pytest
from download_dataset import read_wheel
from file_bytes import BYTES, IMAGES, PAIRS, PARTS, little_memory, mutated, pack_wheel, pickle_of_python_2, steady
from hypothesis import example, given
from hypothesis import strategies as st

from common.errors import UserError
from common.readers.idx import parse_idx, write_idx
from common.readers.mnist_pickle import check_pairs, gunzip, load_pairs

PACKED = gzip.compress(write_idx(BYTES))
PICKLES = [*(pickle.dumps(PAIRS, protocol) for protocol in range(6)), *(pickle_of_python_2(PAIRS, p) for p in (0, 2))]
GLOBALS = ("numpy ndarray", "numpy dtype", "numpy._core.multiarray _reconstruct", "_codecs encode", "os system")
VALUES = st.sampled_from(
    [b"I01\n", b"I00\n", b"N", b"(", b")", b"t", b"l", b"]", b"}", b"0", b"2", b"a", b"s", b"\x85"]
)
STEPS = st.one_of(
    VALUES,
    st.sampled_from([f"c{name}\n".replace(" ", "\n").encode() for name in GLOBALS]),
    st.sampled_from([b"R", b"b", b"\x81", b"o", b"e", b"u", b"\x86", b"\x87", b"\x94", b"\x90", b"q\0", b"h\0"]),
    st.sampled_from(
        [b"\x8c\x02f4", b"\x8c\x01O", b"\x8c\x06latin1", b"C\x04\0\0\0\0", b"K\x01", b"\x8a\x04\xff\xff\xff\x7f"]
    ),
    st.sampled_from([step.code.encode("latin1") for step in pickletools.opcodes]),
    st.binary(min_size=1, max_size=3),
)


@steady(300)
@given(st.binary(max_size=100) | mutated(*map(write_idx, PARTS.values())))
@example(b"\0\0\x08\x03" + 12 * b"\xff")
@example(b"\0\0\x08\x03\0\0\0\0" + 8 * b"\xff")
@example(b"\0\0\x08\xff" + bytes(4 * 255))
def test_idx_file_is_read_as_it_is_or_refused(data):
    with little_memory():
        try:
            array = parse_idx(data, "a")
        except UserError:
            return
    assert write_idx(array) == data and array.dtype == np.uint8 and array.size


@steady(300)
@given(st.binary(max_size=100) | mutated(PACKED))
@example(b"")
@example(PACKED[:-8])
def test_gzip_file_is_unpacked_as_it_was_packed_or_refused(data):
    with little_memory():
        try:
            unpacked = gunzip(data)
        except UserError:
            return
    assert unpacked == write_idx(BYTES)


HARMFUL = [
    b"\x80\x04]r\xff\xff\xff\x01.",  # a memo index of 33,554,431, for which a list is made
    b"(lp33554431\n.",
    b"]" * 10**6 + b".",
    b"\x80\x05\x96" + (2**40).to_bytes(8, "little") + b".",  # a declared length of bytes
]


def check_pickle(data: bytes) -> None:
    """Fail unless the pairs have the right form, or are refused in one short line."""
    with little_memory():
        try:
            pairs = load_pairs(io.BytesIO(data))
        except UserError as error:
            assert len(f"{error}") < 500 and "\n" not in f"{error}"
            return
    assert len(pairs) == 3
    check_pairs(pairs)


@pytest.mark.slow
@steady(1200)
@given(
    mutated(*PICKLES).map(gzip.compress)
    | st.lists(STEPS, max_size=30).map(lambda steps: gzip.compress(b"".join(steps) + b"."))
    | mutated(*map(gzip.compress, PICKLES))
    | st.binary(max_size=100)
)
def test_pickle_is_read_in_the_right_form_or_refused(data):
    check_pickle(data)


@pytest.mark.parametrize("pickled", HARMFUL)
def test_pickle_that_asks_for_much_memory_is_refused(pickled):
    with little_memory(), pytest.raises(UserError):
        load_pairs(io.BytesIO(gzip.compress(pickled)))


def test_pickle_in_another_byte_order_is_read_in_the_right_form():
    check_pickle(gzip.compress(pickle.dumps([(images.astype(">f4"), np.arange(len(images))) for images in IMAGES])))


@pytest.mark.slow
@steady(400)
@given(st.binary(max_size=100) | mutated(pack_wheel(zipfile.ZIP_STORED), pack_wheel(zipfile.ZIP_DEFLATED)))
def test_wheel_is_read_as_it_was_written_or_refused(data):
    with little_memory():
        try:
            parts = read_wheel(data)
        except UserError:
            return
    assert all(np.array_equal(parts[part], array) for part, array in PARTS.items())
