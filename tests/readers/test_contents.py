"""What a file is that is no .npy file, and how to make one from it."""

import gzip
import io
import pickle
import zipfile

import numpy as np
import pandas as pd
import pytest
import scipy.io

from common.errors import UserError
from common.readers.contents import describe_content
from common.readers.streams import stream_npy

TABLE = np.arange(12.0).reshape(4, 3)


def packed(*names: str) -> bytes:
    """Return a zip archive of empty files."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name in names:
            archive.writestr(zipfile.ZipInfo(name), "")  # with a fixed date, so that the bytes are always the same
    return file.getvalue()


@pytest.mark.parametrize(
    ("content", "what", "remedy"),
    [
        (b"", "it is empty", "Write it again."),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n", "it is a Git LFS pointer", "Run git lfs pull."),
        (b"\n<!DOCTYPE html><html>", "it is an HTML page", "Download it again."),
        (b"<html lang=en>", "it is an HTML page", "Download it again."),
        (gzip.compress(b"1", mtime=0), "it is a gzip file", "Unpack it."),
        (b"\x89HDF\r\n\x1a\n", "it is an HDF5 file", 'import numpy, h5py; numpy.save("{npy}", h5py.File("{file}")['),
        (packed("x_train.npy"), "it is a .npz file", 'numpy.save("{npy}", numpy.load("{file}")["x_train"])'),
        (packed("[Content_Types].xml", "xl/workbook.xml"), "it is an Excel file", "pandas.read_excel"),
        (packed("archive/data.pkl"), "it is a PyTorch file", "torch.load"),
        (packed("config.json", "model.weights.h5"), "it is a Keras model", "by the key network.model"),
        (packed("a.png"), "it is a zip archive", "Unpack it."),
        (packed("a.npy")[:-10], "it is a damaged zip archive", "Download or write it again."),
        (packed(), "it is a zip archive", "Unpack it."),
        (pickle.dumps(TABLE), "it is a pickle", "numpy.asarray(pickle.load("),
        (b"\x89PNG\r\n\x1a\n", "it is a PNG image", "by the key folder"),
        (b"PAR1\x15", "it is a Parquet file", "pandas.read_parquet"),
        (bytes.fromhex("deadbeef00"), "it begins with the bytes de ad be ef 00", "Write it with numpy.save."),
        (b"0.5\t" * 20, r"it begins with '0.5\t0.5\t0.5\t0.5\t0.5\t0.5\t0.5\t0.' ...", r'sep="\t", header=None)'),
        ("é,b\n1,2\n".encode(), "it begins with 'é,b'", 'pandas.read_csv("{file}", sep=",").to_numpy()'),
        (b"1;2\n", "it begins with '1;2'", 'sep=";", header=None'),
        (b" 1e-3  2\n", "it begins with '1e-3  2'", r'sep=r"\s+", header=None'),
    ],
)
def test_content_is_named_with_what_to_do(tmp_path, content, what, remedy):
    path = tmp_path / "a.dat"
    path.write_bytes(content)
    found, way = describe_content(str(path))
    assert found.startswith(what) and remedy.format(file=path, npy=tmp_path / "a.npy") in way
    with pytest.raises(UserError) as raised:
        stream_npy(str(path))
    assert f"{raised.value}" == f"{path} is no .npy file; {found}. {way}"


@pytest.mark.parametrize(
    ("name", "write"),
    [
        ("a.tsv", lambda path: np.savetxt(path, TABLE, delimiter="\t")),
        ("a.csv", lambda path: pd.DataFrame(TABLE, columns=list("abc")).to_csv(path, index=False)),
        ("a.txt", lambda path: np.savetxt(path, TABLE)),
        ("a.csv", lambda path: np.savetxt(path, TABLE, delimiter=";", fmt="%g")),
        ("a.npz", lambda path: np.savez(path, x=TABLE)),
        ("a.pkl", lambda path: path.write_bytes(pickle.dumps(TABLE))),
        ("a.mat", lambda path: scipy.io.savemat(path, {"NAME": TABLE})),
    ],
)
def test_lines_of_the_message_make_the_array(tmp_path, name, write):
    write(tmp_path / name)
    with pytest.raises(UserError) as raised:
        stream_npy(str(tmp_path / name))
    exec(f"{raised.value}".split("To make one: ")[1])
    assert np.array_equal(np.load(tmp_path / "a.npy"), TABLE)
