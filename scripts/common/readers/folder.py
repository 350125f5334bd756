"""A folder of image files by class."""

import logging
from collections.abc import Iterator, Sequence
from pathlib import PurePosixPath

import numpy as np
from skimage.transform import resize

from common.errors import UserError, format_shape, report_unreadable_file
from common.folders import list_files
from common.readers.image_files import is_image, read_picture, scale_values
from common.readers.layouts import find_splits
from common.readers.streams import Split, Stream, block_length
from common.readers.survey import Look, survey_images
from common.text import join_some, join_words

log = logging.getLogger("workflow")


def read(
    folder: str, size: Sequence[int] | None = None, white: float | None = None, skip_damaged: bool = False
) -> dict[str, Split]:
    """Return the splits of folder/class/*.png, or of folder/train/class/*.png and folder/test/class/*.png.

    `size` is the height and width that the images are resized to, `white` the value that is white. If any image has
    colors, all get three channels. A folder of images without classes has no labels. Raises UserError if the folders
    can be understood in several ways, or if images are damaged and not to be skipped (`skip_damaged`).
    """
    splits = find_splits(folder, list_images(folder))
    looks = survey_images(folder, [path for files in splits.values() for _, path in files], white, skip_damaged)
    read_splits = {split: [file for file in files if file[1] in looks] for split, files in splits.items()}
    size = tuple(size) if size else check_sizes(folder, looks)
    channels = max(look.channels for look in looks.values())
    found = {}
    for split, files in read_splits.items():
        if files:
            labels = None if files[0][0] is None else np.array([label for label, _ in files])
            paths = [path for _, path in files]
            found[split] = Split(labels, stream_images(folder, paths, (*size, channels), white), paths)
    if "train" not in found:
        raise UserError(f"{folder} has no training image that is not damaged. Replace the damaged ones.")
    return found


def list_images(folder: str) -> list[str]:
    """Return the paths of the images in a folder, at any depth; say what else is in it.

    Raises UserError if there is none, or if a name cannot be written as text.
    """
    with report_unreadable_file(folder):
        paths, ignored = list_files(folder)
    images = []
    for path in paths:
        if is_image(f"{folder}/{path}"):
            images.append(path)
        else:
            ignored[PurePosixPath(path).suffix.lower() or "without suffix"] += 1
    kinds = join_words([f"{count:,} {kind}" for kind, count in sorted(ignored.items())]) if ignored else ""
    if not images:
        hint = f"It has {kinds}." if kinds else "It is empty."
        raise UserError(f"{folder} has no images of a format that Pillow reads. {hint} Check the path, or add images.")
    if kinds:
        level = logging.INFO if len(images) < len(paths) else logging.DEBUG  # what is not litter may be missed
        log.log(level, "ignored in %s, since they are no images: %s", folder, kinds)
    without_images = {f"{parent}" for path in set(paths) - set(images) for parent in PurePosixPath(path).parents[:-1]}
    without_images -= {f"{parent}" for path in images for parent in PurePosixPath(path).parents}
    if without_images:
        log.warning("warning: no images are in %s of %s: left out", join_some(sorted(without_images)), folder)
    for path in images:
        try:
            path.encode()
        except UnicodeEncodeError:
            raise UserError(f"{folder} has the name {path!r}, which is not UTF-8. Rename it.") from None
    return images


def check_sizes(folder: str, looks: dict[str, Look]) -> tuple[int, int]:
    """Return the height and width of all images; raise UserError if one differs."""
    expected = next(iter(looks.values())).size
    for path, look in looks.items():
        if look.size != expected:
            raise UserError(
                f"{folder}/{path} is {format_shape(look.size)} pixels high and wide, the first image "
                f"{format_shape(expected)}. Set size to [height, width] to resize all images."
            )
    return expected


def stream_images(folder: str, paths: Sequence[str], shape: tuple[int, int, int], white: float | None) -> Stream:
    """Return the images of files, each brought to a shape (height, width, channels)."""
    length = block_length((len(paths), *shape), 4)

    def take(rows: np.ndarray) -> Iterator[np.ndarray]:
        for start in range(0, len(rows), length):
            chosen = rows[start : start + length]
            yield np.stack([read_image(f"{folder}/{paths[row]}", shape, white) for row in chosen])
            log.info("%d of %d images", start + len(chosen), len(rows))

    return Stream(folder, (len(paths), *shape), lambda: take(np.arange(len(paths))), take)


def read_image(path: str, shape: tuple[int, int, int], white: float | None) -> np.ndarray:
    """Return an image file as float32 (height, width, channels) in [0, 1], on white where it is transparent."""
    with report_unreadable_file(path):
        image = scale_values(read_picture(path).values, white)
    if image.shape[2] == 1 and shape[2] == 3:
        image = np.repeat(image, 3, axis=2)
    if image.shape[:2] != shape[:2]:
        image = resize(image, shape[:2], anti_aliasing=True).clip(0, 1).astype(np.float32)
    return image
