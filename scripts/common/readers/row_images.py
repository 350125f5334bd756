"""Images that belong to the rows of vectors, one for each row."""

import re
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from common.errors import UserError, report_unreadable_file
from common.readers import folder
from common.readers.idx import stream_idx_file
from common.readers.images import as_images
from common.readers.streams import Stream, stream_npy, stream_npz


def stream_image_files(path: str, folder_options: Mapping[str, Any]) -> Stream:
    """Return images from a .npy file, a .npz file with one array, an IDX file or a folder.

    They are float32 (n, height, width, channels) in [0, 1]. The order of those in a folder is that of torchvision's
    ImageFolder: by class folder, then by file name. The `folder_options` are those of common.readers.folder.read.
    Raises UserError if it is none of these, or damaged.
    """
    if Path(path).is_dir():
        splits = folder.read(path, **folder_options)
        if len(splits) > 1:
            raise UserError(f"{path} has folders of several splits. Give the folder of one split.")
        return splits["train"].images
    for option, value in folder_options.items():
        if value is not None:
            raise UserError(f"{option}: {path} is not a folder. Remove {option}, and change the images themselves.")
    readers: dict[str, Callable[[str], Stream]] = {
        r"\.npy$": stream_npy,
        r"\.npz$": stream_only_array,
        r"idx\d-ubyte(\.gz)?$": stream_idx_file,
    }
    for pattern, read in readers.items():
        if re.search(pattern, path):
            return as_images(read(path))
    raise UserError(
        f"{path} is no file of images that is known. Give a .npy file, a .npz file with one array, an IDX file, or a "
        "folder of images."
    )


def stream_only_array(path: str) -> Stream:
    """Return the array of a .npz file that has one; raises UserError if it has others."""
    with report_unreadable_file(path), zipfile.ZipFile(path) as file:
        names = [name.removesuffix(".npy") for name in file.namelist()]
    if len(names) != 1:
        raise UserError(f"{path} has {len(names)} arrays ({', '.join(names)}). Give a file with the images only.")
    return stream_npz(path, names[0])
