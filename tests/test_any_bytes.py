"""The readers of files from outside, or a damaged disk, on any bytes: the right content, or one line of refusal."""

import gzip
import io
import pickle
import pickletools
import struct
import tracemalloc
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import pytest
from download_dataset import IDX_FILES, read_idx, read_wheel, write_idx
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from common.errors import UserError
from common.inputs import load_array, load_npz
from common.networks.keras_setup import keras
from common.networks.model_files import load_network
from common.readers.mnist_pickle import check_pairs, gunzip, load_pairs, read_pairs

MEGABYTE = 2**20
GENERATOR = np.random.default_rng(0)
IMAGES = [(GENERATOR.integers(0, 256, (n, 9)) / 256).astype(np.float32) for n in (7, 3, 2)]
PAIRS = [(images, np.arange(len(images))) for images in IMAGES]
PARTS = {
    "train_images": GENERATOR.integers(0, 256, (9, 5, 5), np.uint8),
    "train_labels": np.arange(9, dtype=np.uint8),
    "test_images": GENERATOR.integers(0, 256, (4, 5, 5), np.uint8),
    "test_labels": np.arange(4, dtype=np.uint8),
}


def steady(examples: int):
    """The same examples each time."""
    quiet = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
    return settings(max_examples=examples, derandomize=True, deadline=None, database=None, suppress_health_check=quiet)


@st.composite
def mutated(draw, *goods: bytes) -> bytes:
    """Good bytes with some replaced, taken out or put in, most of them near an end, where the headers are."""
    data = bytearray(draw(st.sampled_from(goods)))
    for _ in range(draw(st.integers(1, 3))):
        near = draw(st.integers(0, min(150, len(data))))
        at = draw(st.sampled_from([near, len(data) - near]) | st.integers(0, len(data)))
        data[at : at + draw(st.sampled_from([0, 1, 1, 1, 4, len(data)]))] = draw(st.binary(max_size=4))
    return bytes(data)


@contextmanager
def little_memory() -> Iterator[None]:
    """Fails if the block takes much more memory than the small files here need."""
    tracemalloc.start()
    try:
        yield
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 16 * MEGABYTE


@steady(300)
@given(st.binary(max_size=100) | mutated(*map(write_idx, PARTS.values())))
@example(b"\0\0\x08\x03" + 12 * b"\xff")
@example(b"\0\0\x08\x03\0\0\0\0" + 8 * b"\xff")
@example(b"\0\0\x08\xff" + bytes(4 * 255))
def test_idx_file_is_read_as_it_is_or_refused(data):
    with little_memory():
        try:
            array = read_idx(data)
        except UserError:
            return
    assert write_idx(array) == data and array.dtype == np.uint8 and array.ndim in (1, 3) and array.size


PACKED = gzip.compress(write_idx(PARTS["train_images"]))


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
    assert unpacked == write_idx(PARTS["train_images"])


def of_python_2(protocol: int) -> bytes:
    """The pairs as Python 2, which the notebook ran on, pickled them: the arrays' content is text."""

    def text(value: bytes) -> bytes:
        return (
            b"S" + repr(value).encode()[1:] + b"\n" if protocol == 0 else b"T" + struct.pack("<I", len(value)) + value
        )

    def dumped(array: np.ndarray) -> bytes:
        shape = b"".join(b"I%d\n" % length for length in array.shape)
        dtype = b"cnumpy\ndtype\n(" + text(array.dtype.str[1:].encode()) + b"I0\nI1\ntR(I3\n"
        dtype += text(b"<") + b"NNNI-1\nI-1\nI0\ntb"
        start = b"cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\n(I0\nt" + text(b"b") + b"tR"
        return start + b"(I1\n(" + shape + b"t" + dtype + b"I00\n" + text(array.tobytes()) + b"tb"

    pairs = (b"(" + dumped(images) + dumped(labels) + b"t" for images, labels in PAIRS)
    return (b"\x80\x02" if protocol else b"") + b"(" + b"".join(pairs) + b"t."


PICKLES = [*(pickle.dumps(PAIRS, protocol) for protocol in range(6)), of_python_2(0), of_python_2(2)]
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


@steady(1200)
@given(
    mutated(*PICKLES).map(gzip.compress)
    | st.lists(STEPS, max_size=30).map(lambda steps: gzip.compress(b"".join(steps) + b"."))
    | mutated(*map(gzip.compress, PICKLES))
    | st.binary(max_size=100)
)
@example(gzip.compress(b"\x80\x04]r\xff\xff\xff\x01."))  # remember as number 33,554,431, for which a list is made
@example(gzip.compress(b"(lp33554431\n."))
@example(gzip.compress(b"]" * 10**6 + b"."))
@example(gzip.compress(b"\x80\x05\x96" + (2**40).to_bytes(8, "little") + b"."))  # bytes to come
@example(gzip.compress(pickle.dumps([(images.astype(">f4"), labels) for images, labels in PAIRS])))
def test_pickle_is_read_in_the_right_form_or_refused(data):
    with little_memory():
        try:
            pairs = load_pairs(io.BytesIO(data))
        except UserError as error:
            assert len(f"{error}") < 500
            return
    assert len(pairs) == 3
    check_pairs(pairs)


def test_pickle_of_any_protocol_and_order_of_bytes_is_read_as_it_was_written(tmp_path):
    swapped = [(images.astype(">f4"), np.asfortranarray(labels.astype(">i8"))) for images, labels in PAIRS]
    for number, pickled in enumerate([*PICKLES, *(pickle.dumps(swapped, protocol) for protocol in range(6))]):
        path = tmp_path / f"{number}.pkl.gz"
        path.write_bytes(gzip.compress(pickled))
        for found, expected in zip(read_pairs(path), PAIRS, strict=True):
            for array, values in zip(found, expected, strict=True):
                assert np.array_equal(array, values) and array.dtype == values.dtype and array.dtype.isnative


def a_wheel(packing: int) -> bytes:
    stored = io.BytesIO()
    with zipfile.ZipFile(stored, "w", packing) as wheel:
        for part, name in IDX_FILES.items():
            wheel.writestr(f"digits/{name}", write_idx(PARTS[part]))
        wheel.writestr("digits-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\n")
    return stored.getvalue()


@steady(400)
@given(st.binary(max_size=100) | mutated(a_wheel(zipfile.ZIP_STORED), a_wheel(zipfile.ZIP_DEFLATED)))
def test_wheel_is_read_as_it_was_written_or_refused(data):
    with little_memory():
        try:
            parts = read_wheel(data)
        except UserError:
            return
    assert all(np.array_equal(parts[part], array) for part, array in PARTS.items())


def stored(save, *arguments, **arrays) -> bytes:
    file = io.BytesIO()
    save(file, *arguments, **arrays)
    return file.getvalue()


def header(text: str) -> bytes:
    """A .npy file with that header, and 64 bytes."""
    return b"\x93NUMPY\x01\0" + len(text).to_bytes(2, "little") + text.encode() + bytes(64)


NPY = [stored(np.save, array) for array in (IMAGES[0], PAIRS[0][1], PARTS["train_images"])]


@steady(300)
@given(st.binary(max_size=200) | mutated(*NPY) | st.text(max_size=60).map(header))
@example(header("{'descr': '<f4', 'fortran_order': False, 'shape': (1000000000000, 784)}"))
@example(header("{'descr': '<f4', 'fortran_order': False, 'shape': (-4, -4)}"))
@example(header("{'descr': '<f4', 'fortran_order': False, 'shape': (3,)}"))
@example(header("{'descr': '|O', 'fortran_order': False, 'shape': (8,)}"))
@example(header("{'descr': '<U4', 'fortran_order': False, 'shape': (4,)}"))
@example(header("{'descr': '<f8', 'fortran_order': False, 'shape': ()}"))
@example(header("{[]: 1}"))
@example(header("'''"))
@example(header("(" * 5000))
@example(stored(np.save, np.array([print]), allow_pickle=True))
def test_npy_file_is_read_in_the_right_form_or_refused(tmp_path, data):
    path = tmp_path / "array.npy"
    path.write_bytes(data)
    with little_memory():
        try:
            array = load_array(path)
        except UserError as error:
            assert f"{path} is damaged" in f"{error}" and "--force" in f"{error}"
            return
    assert array.dtype.kind in "biuf" and array.ndim and array.offset + array.nbytes == len(data)


def flipped(data: bytes, array: np.ndarray) -> bytes:
    """A file with one bit of an array's content changed."""
    at = data.index(array.tobytes()) + 1
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]


NEIGHBORS = {"indices": PAIRS[0][1].astype(np.int32), "distances": IMAGES[0], "method": np.array("exact")}


@steady(300)
@given(st.binary(max_size=200) | mutated(stored(np.savez, **NEIGHBORS)) | mutated(*NPY))
@example(stored(np.save, IMAGES[0]))
@example(flipped(stored(np.savez, **NEIGHBORS), NEIGHBORS["distances"]))
def test_npz_file_is_read_as_it_was_written_or_refused(tmp_path, data):
    path = tmp_path / "arrays.npz"
    path.write_bytes(data)
    with little_memory():
        try:
            arrays = load_npz(path)
        except UserError as error:
            assert f"{path} is damaged" in f"{error}" and "--force" in f"{error}"
            return
    assert arrays.keys() == NEIGHBORS.keys()
    assert all(np.array_equal(arrays[name], array) for name, array in NEIGHBORS.items())


@pytest.fixture(scope="module")
def network(tmp_path_factory) -> tuple[keras.Model, bytes]:
    path = tmp_path_factory.mktemp("network") / "network.keras"
    network = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3), keras.layers.BatchNormalization()])
    network.save(path)
    return network, path.read_bytes()


@steady(60)
@given(st.data())
def test_network_is_read_as_it_was_written_or_refused(network, tmp_path, data):
    good, good_bytes = network
    path = tmp_path / "network.keras"
    path.write_bytes(data.draw(st.binary(max_size=100) | mutated(good_bytes)))
    try:
        found = load_network(path)
    except UserError as error:
        assert f"{path} is damaged" in f"{error}" and "--force" in f"{error}"
        return
    for ours, theirs in zip(found.get_weights(), good.get_weights(), strict=True):
        assert np.array_equal(ours, theirs)


def test_one_bit_of_a_network_is_not_lost_sight_of(network, tmp_path):
    good, good_bytes = network
    (tmp_path / "network.keras").write_bytes(flipped(good_bytes, good.get_weights()[0]))
    with pytest.raises(UserError, match=r"network\.keras is damaged"):
        load_network(tmp_path / "network.keras")
