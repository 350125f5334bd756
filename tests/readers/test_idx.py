"""IDX files: their bytes, and the names of EMNIST's classes."""

import gzip

import numpy as np
import pytest

from common.errors import UserError
from common.readers.idx import map_labels, parse_idx, read, stream_idx_file, write_idx

ANY = np.random.default_rng(0).integers(0, 256, (7, 2, 5), np.uint8)


def test_header_is_that_of_mnist():
    assert write_idx(np.zeros((2, 3, 4), np.uint8))[:16] == bytes.fromhex("00000803 00000002 00000003 00000004")
    assert write_idx(np.zeros(5, np.uint8))[:8] == bytes.fromhex("00000801 00000005")


@pytest.mark.parametrize("shape", [(70,), (7, 10), (7, 2, 5), (7, 2, 5, 1)])
def test_array_is_read_as_it_was_written(shape):
    array = ANY.reshape(shape)
    assert np.array_equal(parse_idx(write_idx(array), "a"), array)
    assert write_idx(array)[:4] == bytes([0, 0, 8, len(shape)])


@pytest.mark.parametrize(
    ("data", "line"),
    [
        (b"", "a is not an IDX file of bytes. Give an IDX file, gzipped or not."),
        (b"\0\0\x08", "a is not an IDX file of bytes."),
        (b"\0\0\x08\0" + bytes(8), "a is not an IDX file of bytes."),
        (b"\0\0\x08\x05" + 5 * b"\0\0\0\1" + bytes(1), "a is not an IDX file of bytes."),
        (b"\0\0\x09\1\0\0\0\1\0", "a is not an IDX file of bytes."),
        (b"\0\0\x08\3" + bytes(7), "a cannot be read (error: unpack requires a buffer of 12 bytes"),
        (write_idx(ANY)[:-1], "a ends before its 7 rows of 2 x 5 values do. Download or write it again."),
        (write_idx(ANY) + b"\0", "a goes on after its 7 rows. Download or write it again."),
        (write_idx(ANY[:0]), "a is empty"),
        (write_idx(ANY[:, :, :0]), "a is empty"),
    ],
)
def test_other_bytes_are_refused(data, line):
    with pytest.raises(UserError) as raised:
        parse_idx(data, "a")
    assert f"{raised.value}".startswith(line)


def test_file_is_gzipped_or_not(tmp_path):
    path = tmp_path / "a"
    for data in (write_idx(ANY), gzip.compress(write_idx(ANY))):
        path.write_bytes(data)
        stream = stream_idx_file(str(path))
        assert stream.shape == ANY.shape and np.array_equal(np.concatenate(list(stream.blocks())), ANY)


def test_file_that_goes_on_is_refused(tmp_path):
    for data in (write_idx(ANY) + b"more", gzip.compress(write_idx(ANY) + b"more")):
        (tmp_path / "a").write_bytes(data)
        with pytest.raises(UserError, match="a goes on after its 7 rows"):
            list(stream_idx_file(str(tmp_path / "a")).blocks())


@pytest.fixture
def files(tmp_path):
    """The four IDX files of seven images, and of three images for the test."""

    def write(prefix: str) -> list[str]:
        arrays = {"images": ANY, "labels": np.arange(7, dtype=np.uint8), "t-images": ANY[:3], "t-labels": ANY[:3, 0, 0]}
        for name, array in arrays.items():
            (tmp_path / f"{prefix}{name}").write_bytes(write_idx(array))
        return [str(tmp_path / f"{prefix}{name}") for name in arrays]

    return write


def test_two_splits_are_read(files):
    splits = read(*files(""))
    assert list(splits) == ["train", "test"] and splits["train"].labels.tolist() == list(range(7))
    for split, count in (("train", 7), ("test", 3)):
        assert np.array_equal(np.concatenate(list(splits[split].images.blocks()))[..., 0] * 256, ANY[:count])
    assert np.array_equal(splits["test"].labels, ANY[:3, 0, 0])


def test_images_of_emnist_are_turned_upright(files):
    splits = read(*files("emnist-"))
    assert splits["train"].images.shape == (7, 5, 2, 1)
    assert np.array_equal(next(splits["train"].images.blocks())[..., 0] * 256, ANY.swapaxes(1, 2))


def test_numbers_are_mapped_to_the_names_of_classes(tmp_path):
    mapping = tmp_path / "mapping.txt"
    mapping.write_text("0 48\n1 65 97\n\n2 98\n")
    assert map_labels(np.array([2, 0, 1, 1]), str(mapping)).tolist() == ["b", "0", "A", "A"]
    with pytest.raises(UserError, match=r"mapping\.txt cannot be read \(KeyError: "):
        map_labels(np.array([3]), str(mapping))
    mapping.write_text("0\n")
    with pytest.raises(UserError, match=r"mapping\.txt cannot be read \(ValueError: "):
        map_labels(np.array([0]), str(mapping))
