"""Any bytes in the place of a file of the workflow: they are read as they were written, or the file is named."""

import json

import numpy as np
import pytest
from file_bytes import BYTES, IMAGES, PAIRS, flip_bit, little_memory, mutated, saved, steady
from hypothesis import example, given
from hypothesis import strategies as st

from common.errors import UserError
from common.inputs import load_array, load_json, load_npz


def check_named(path, error) -> None:
    """Fail unless an error names the damaged file, and the command that rebuilds it, in one line."""
    assert f"{error}".startswith(f"{path} is damaged (") and f"{error}".endswith(f"--force {path}")
    assert "\n" not in f"{error}"


def header(text: str) -> bytes:
    """Return a .npy file with this header, and 64 bytes."""
    return b"\x93NUMPY\x01\0" + len(text).to_bytes(2, "little") + text.encode() + bytes(64)


NPY = [saved(np.save, array) for array in (IMAGES[0], PAIRS[0][1], BYTES)]
NEIGHBORS = {"indices": PAIRS[0][1].astype(np.int32), "distances": IMAGES[0], "method": np.array("exact")}
NPZ = saved(np.savez, **NEIGHBORS)


DAMAGED_NPY = [
    header("{'descr': '<f4', 'fortran_order': False, 'shape': (1000000000000, 784)}"),
    header("{'descr': '<f4', 'fortran_order': False, 'shape': (-4, -4)}"),
    header("{'descr': '<f4', 'fortran_order': False, 'shape': (3,)}"),
    header("{'descr': '|O', 'fortran_order': False, 'shape': (8,)}"),
    header("{'descr': '<U4', 'fortran_order': False, 'shape': (4,)}"),
    header("{'descr': '<f8', 'fortran_order': False, 'shape': ()}"),
    header("{[]: 1}"),
    header("'''"),
    header("(" * 5000),
    saved(np.save, np.array([print]), allow_pickle=True),
    NPY[0][:-1],
    NPY[0] + b"\0",
    b"",
]


@pytest.mark.parametrize("data", DAMAGED_NPY)
def test_damaged_npy_file_is_refused(tmp_path, data):
    path = tmp_path / "array.npy"
    path.write_bytes(data)
    with little_memory(), pytest.raises(UserError) as raised:
        load_array(path)
    check_named(path, raised.value)


@pytest.mark.slow
@steady(300)
@given(st.binary(max_size=200) | mutated(*NPY) | st.text(max_size=60).map(header))
def test_npy_file_is_read_in_the_right_form_or_refused(tmp_path, data):
    path = tmp_path / "array.npy"
    path.write_bytes(data)
    with little_memory():
        try:
            array = load_array(path)
        except UserError as error:
            check_named(path, error)
            return
    assert array.dtype.kind in "biuf" and array.ndim and array.offset + array.nbytes == len(data)


@steady(200)
@given(st.binary(max_size=200) | mutated(NPZ) | mutated(*NPY))
@example(NPY[0])
@example(flip_bit(NPZ, NEIGHBORS["distances"]))
def test_npz_file_is_read_as_it_was_written_or_refused(tmp_path, data):
    path = tmp_path / "arrays.npz"
    path.write_bytes(data)
    with little_memory():
        try:
            arrays = load_npz(path)
        except UserError as error:
            check_named(path, error)
            return
    assert arrays.keys() == NEIGHBORS.keys()
    assert all(np.array_equal(arrays[name], array) for name, array in NEIGHBORS.items())


@steady(100)
@given(st.binary(max_size=100) | mutated(b'{"perplexity": 30}'))
@example(b"[" * 100_000)
def test_json_file_is_read_or_refused(tmp_path, data):
    path = tmp_path / "facts.json"
    path.write_bytes(data)
    try:
        value = load_json(path)
    except UserError as error:
        check_named(path, error)
        return
    assert json.dumps(value) == json.dumps(json.loads(data.decode()))


@pytest.fixture(scope="module")
def network(tmp_path_factory):
    """A small network, and the bytes of its file."""
    from common.networks.keras_setup import keras  # it takes seconds to import

    path = tmp_path_factory.mktemp("network") / "network.keras"
    network = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3), keras.layers.BatchNormalization()])
    network.save(path)
    return network, path.read_bytes()


@pytest.mark.slow
@steady(60)
@given(st.data())
def test_network_is_read_as_it_was_written_or_refused(network, tmp_path, data):
    from common.networks.model_files import load_network

    good, good_bytes = network
    path = tmp_path / "network.keras"
    path.write_bytes(data.draw(st.binary(max_size=100) | mutated(good_bytes)))
    try:
        loaded = load_network(path)
    except UserError as error:
        check_named(path, error)
        return
    for weights, expected in zip(loaded.get_weights(), good.get_weights(), strict=True):
        assert np.array_equal(weights, expected)


@pytest.mark.slow
def test_one_changed_bit_in_the_weights_of_a_network_is_noticed(network, tmp_path):
    from common.networks.model_files import load_network

    good, good_bytes = network
    (tmp_path / "network.keras").write_bytes(flip_bit(good_bytes, good.get_weights()[0]))
    with pytest.raises(UserError, match=r"network\.keras is damaged"):
        load_network(tmp_path / "network.keras")
