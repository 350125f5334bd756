"""A first look at all images of a folder: which are damaged, how large they are, and how bright."""

import logging
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from common.errors import UserError, describe_error
from common.readers.image_files import find_white, read_picture
from common.text import count_noun, join_some

log = logging.getLogger("workflow")

DARK = 1 / 4  # of the range of values: brighter images use more of it
PROGRESS = 10_000  # images between two lines of the log


class Look(NamedTuple):
    """What is known of an image before all are read."""

    size: tuple[int, int]  # height and width, upright
    channels: int  # 1 or 3
    dtype: np.dtype
    lowest: float
    brightest: float
    has_more: bool
    is_reduced: bool


def look_at_image(path: str) -> Look:
    """Return what is known of an image file; raises ValueError if it has values that are not finite."""
    picture = read_picture(path)
    channels = picture.values.shape[2]
    color = picture.values[:, :, : 3 if channels > 2 else 1]
    lowest, brightest = float(color.min()), float(color.max())
    if not np.isfinite([lowest, brightest]).all():
        raise ValueError("it has values that are not finite")
    size = picture.values.shape[:2]
    return Look(size, color.shape[2], color.dtype, lowest, brightest, picture.has_more, picture.is_reduced)


def survey_images(folder: str, paths: Sequence[str], white: float | None, skip_damaged: bool) -> dict[str, Look]:
    """Return what is known of each image, by its path in a folder, without the damaged ones if these are skipped.

    Raises UserError that names the damaged images, or if values are outside the range that `white` gives.
    """
    looks, damaged = {}, {}
    for number, path in enumerate(paths, 1):
        try:
            looks[path] = look_at_image(f"{folder}/{path}")
        except MemoryError:
            raise
        except Exception as error:  # a damaged file can fail in any way
            damaged[path] = describe_error(error)
        if number % PROGRESS == 0:
            log.info("%d of %d images checked", number, len(paths))
    if damaged:
        report_damaged(folder, damaged, len(paths), skip_damaged)
    for key, remark in (
        ("has_more", "of several frames or pages, the first is used"),
        ("is_reduced", "of 16 bits a color, 8 are read (save TIFF to keep all)"),
    ):
        found = [path for path, look in looks.items() if getattr(look, key)]
        if found:
            log.info("%s: %s, in %s: %s", folder, remark, count_noun(len(found), "image"), join_some(found))
    check_brightness(folder, looks, white)
    return looks


def report_damaged(folder: str, damaged: Mapping[str, str], count: int, skip_damaged: bool) -> None:
    """Raise UserError that names the damaged images, by path with the reason; only warn if they are skipped."""
    for path, reason in damaged.items():
        log.debug("%s/%s: %s", folder, path, reason)
    names = join_some([f"{path} ({reason})" for path, reason in damaged.items()])
    problem = f"{len(damaged):,} of {count:,} images of {folder} cannot be read: {names}"
    if not skip_damaged or len(damaged) == count:
        raise UserError(f"{problem}. Replace or remove them, or set skip_damaged: true to leave them out.")
    log.warning("warning: %s; they are left out (skip_damaged)", problem)


def check_brightness(folder: str, looks: Mapping[str, Look], white: float | None) -> None:
    """Warn if images use a small part of their range; raise UserError if values are outside of it."""
    groups: dict[np.dtype, list[str]] = {}
    for path, look in looks.items():
        groups.setdefault(look.dtype, []).append(path)
    for dtype, paths in groups.items():
        highest = find_white(dtype, white)
        lowest = min(looks[path].lowest for path in paths)
        brightest = max(looks[path].brightest for path in paths)
        images = f"{count_noun(len(paths), 'image')} of {folder} with {dtype} values"
        if lowest < 0:
            raise UserError(f"{images}: the lowest value is {lowest:g}. Shift the values, so that black is 0.")
        if dtype.kind == "f" and not white and brightest > 1:
            raise UserError(
                f"{images}: the brightest is {brightest:g}, and white is 1. Set white to the value that is white."
            )
        if brightest > highest:
            brighter = sum(looks[path].brightest > highest for path in paths)
            log.warning(
                "warning: %s: values above white (%g) in %s, up to %g, become white",
                *(images, highest, count_noun(brighter, "image"), brightest),
            )
        if dtype.kind in "ui" and brightest > 0 and brightest + 1 <= DARK * (highest + 1):
            log.warning(
                "warning: %s: the brightest value is %s of %s, so they are dark. Set white to the value that is "
                "white, such as %d",
                *(images, f"{brightest:,.0f}", f"{highest:,}", 2 ** int(brightest).bit_length() - 1),
            )
