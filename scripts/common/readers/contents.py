"""What a file holds, by its first bytes, and how to make a .npy file from it."""

import re
import zipfile
from pathlib import Path
from typing import NoReturn

from common.errors import UserError

N_BYTES = 1024  # of a file that are looked at
MAX_QUOTED = 30  # characters of a text that a message quotes
NUMBER = r"[+-]?[0-9.]+(e[+-]?[0-9]+)?"
DOWNLOAD, UNPACK, FOLDER = "Download it again.", "Unpack it.", "Give its folder by the key folder."

GIT_LFS = b"version https://git-lfs"
# What a binary file is by its start, and what to do: a sentence, or a module and the expression that reads the array.
SIGNATURES = {
    b"\x93NUMPY": ("a .npy file", "Give it by the key npy."),
    b"\x89HDF": ("an HDF5 file", "h5py", 'h5py.File("{file}")["NAME"][:]'),
    b"MATLAB 7.3": ("a MATLAB file", "h5py", 'h5py.File("{file}")["NAME"][:].T'),
    b"MATLAB 5.0": ("a MATLAB file", "scipy.io", 'scipy.io.loadmat("{file}")["NAME"]'),
    b"PAR1": ("a Parquet file", "pandas", 'pandas.read_parquet("{file}").to_numpy()'),
    b"ARROW1": ("a Feather file", "pandas", 'pandas.read_feather("{file}").to_numpy()'),
    b"\x1f\x8b": ("a gzip file", UNPACK),
    b"BZh": ("a bzip2 file", UNPACK),
    b"\xfd7zXZ": ("an xz file", UNPACK),
    b"\x28\xb5\x2f\xfd": ("a zstd file", UNPACK),
    b"\x89PNG": ("a PNG image", FOLDER),
    b"\xff\xd8\xff": ("a JPEG image", FOLDER),
    b"GIF8": ("a GIF image", FOLDER),
    b"PK\3\4": ("a damaged zip archive", "Download or write it again."),
    b"SQLite format 3": ("an SQLite database", "Export its table as text."),
    b"\0\0\x08": ("an IDX file", "Give its folder by the key idx."),
    **{
        b"\x80" + bytes([protocol]): ("a pickle", "pickle", 'numpy.asarray(pickle.load(open("{file}", "rb")))')
        for protocol in range(2, 6)
    },
}
# Likewise for a zip archive, by a file in it.
ARCHIVES = {
    r".*\.npy": ("a .npz file", "numpy", 'numpy.load("{file}")["{member}"]'),
    r"xl/.*": ("an Excel file", "pandas", 'pandas.read_excel("{file}").to_numpy()'),
    r".*/data\.pkl": ("a PyTorch file", "torch", 'torch.load("{file}").numpy()'),
    r"model\.weights\.h5": ("a Keras model", "Give it by the key network.model."),
    r".*": ("a zip archive", UNPACK),
}


def describe_content(path: str) -> tuple[str, str]:
    """Return what a file is, as a clause such as "it is an HDF5 file", and what to do to get a .npy file.

    A file that is text, or that is not known, is described by how it begins. OSError passes unchanged.
    """
    with open(path, "rb") as file:
        start = file.read(N_BYTES)
    if not start:
        return "it is empty", "Write it again."
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            names = [*archive.namelist(), ""]
        matches = ((what, name) for pattern, what in ARCHIVES.items() for name in names if re.fullmatch(pattern, name))
        (what, *way), member = next(matches)
        return f"it is {what}", describe_way(path, *way, member=member.removesuffix(".npy"))
    text = start.decode("utf-8-sig", "ignore")
    if len(text.encode()) < 0.9 * len(start) or not re.fullmatch(r"[\s\x20-\U0010ffff]+", text):
        for signature, (what, *way) in SIGNATURES.items():
            if start.startswith(signature):
                return f"it is {what}", describe_way(path, *way)
        return f"it begins with the bytes {start[:8].hex(' ')}", "Write it with numpy.save."
    if start.startswith(GIT_LFS):
        return "it is a Git LFS pointer, without the data", "Run git lfs pull."
    if re.match(r"\s*<(!doctype|html|\?xml)", text, re.I):
        return "it is an HTML page", DOWNLOAD
    line = text.lstrip().splitlines()[0] if text.strip() else text
    quoted = repr(line[:MAX_QUOTED]) + (" ..." if len(line) > MAX_QUOTED else "")
    return f"it begins with {quoted}", describe_way(path, "pandas", describe_table(line))


def describe_way(path: str, way: str, expression: str = "", member: str = "") -> str:
    """Return what to do with a file: `way`, or the lines that read an array by the module `way`, and save it."""
    if not expression:
        return way
    array = expression.format(file=path, member=member)
    imports = ", ".join(dict.fromkeys(("numpy", way)))
    return f'To make one: import {imports}; numpy.save("{Path(path).with_suffix(".npy")}", {array})'


def describe_table(line: str) -> str:
    """Return the expression of pandas that reads a table of numbers as an array, from its first line."""
    separator = next((mark for mark in "\t;," if mark in line), r"\s+")
    fields = re.split(separator, line.strip())
    is_header = not all(re.fullmatch(NUMBER, field.strip(), re.I) for field in fields)
    quoted = {"\t": r'"\t"', r"\s+": r'r"\s+"'}.get(separator, f'"{separator}"')
    return f'pandas.read_csv("{{file}}", sep={quoted}{"" if is_header else ", header=None"}).to_numpy()'


def refuse_content(path: str, expected: str, remedy: str = "") -> NoReturn:
    """Raise UserError that says what a file is instead of what was expected.

    Without a `remedy`, the message says how to make a .npy file from it.
    """
    what, way = describe_content(path)
    raise UserError(f"{path} is no {expected}; {what}. {remedy or way}")
