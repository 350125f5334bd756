"""One image file: any still format that Pillow reads, known by its content, and TIFF as microscopes write it."""

from pathlib import Path
from typing import NamedTuple

import numpy as np
import tifffile
from PIL import ExifTags, Image, UnidentifiedImageError

WHITE = np.float32(255 / 256)  # of bytes, and the ground of what is transparent
# What Pillow names but does not decode by itself: vector graphics, film, and tables of numbers.
NOT_DECODED = ("BUFR", "EPS", "GRIB", "HDF5", "IPTC", "MPEG", "WMF")
TIFF_STARTS = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
PNG_START = b"\x89PNG\r\n\x1a\n"
PNG_DEPTH = 24  # the byte that says how many bits a value has
START_BYTES = 32
FLIPPED_COLUMNS, FLIPPED_ROWS, EXCHANGED_AXES = (2, 3, 6, 7), (3, 4, 7, 8), (5, 6, 7, 8)  # orientations of EXIF

Image.init()
DECODED = [name for name in Image.ID if name not in NOT_DECODED]
FORMATS = [name for name in DECODED if Image.OPEN[name][1]]  # that are known by their first bytes
FORMATS_BY_SUFFIX = {suffix: name for suffix, name in Image.EXTENSION.items() if name in DECODED}


class Picture(NamedTuple):
    """An image as its file has it."""

    values: np.ndarray  # (height, width, 1 to 4), upright; of 2 and 4 channels, the last one is opacity
    has_more: bool  # whether the file has more frames or pages; this is the first one
    is_reduced: bool = False  # whether Pillow read 8 of the 16 bits of each value


def is_image(path: str | Path) -> bool:
    """Return whether a file is an image, damaged or not, by its suffix or by its content."""
    if Path(path).suffix.lower() in FORMATS_BY_SUFFIX:
        return True
    try:
        with open(path, "rb") as file:
            if file.read(START_BYTES).startswith(TIFF_STARTS):
                return True
        with Image.open(path, formats=FORMATS):
            return True
    except (UnidentifiedImageError, FileNotFoundError):  # a link may lead nowhere
        return False
    except Exception:
        return True


def read_picture(path: str | Path) -> Picture:
    """Return the image in a file; raises any error of Pillow or tifffile if it is damaged."""
    with open(path, "rb") as file:
        start = file.read(START_BYTES)
    if start.startswith(TIFF_STARTS):
        return read_tiff(path)
    suffix_format = FORMATS_BY_SUFFIX.get(Path(path).suffix.lower())
    with Image.open(path, formats=[*FORMATS, suffix_format] if suffix_format else FORMATS) as image:
        # A photo may have a preview as a second picture (MPO).
        has_more = image.format != "MPO" and getattr(image, "is_animated", False)
        is_reduced = start.startswith(PNG_START) and start[PNG_DEPTH] == 16 and image.mode in ("RGB", "RGBA")
        if is_reduced and "transparency" in image.info:
            image.info["transparency"] = tuple(value >> 8 for value in image.info["transparency"])
        values = read_values(image)
        if is_reduced:
            values = values * np.uint16(257)  # so that 255 becomes 65,535
        if image.format == "PPM" and image.mode == "I":
            values = values.astype(np.uint16)  # Pillow scales them to these
        return Picture(turn_upright(values, read_orientation(image)), has_more, is_reduced)


def read_values(image: Image.Image) -> np.ndarray:
    """Return the values of an image, (height, width, 1 to 4): gray or color, with opacity if any is transparent."""
    image.load()
    if image.mode.startswith(("I", "F")):
        values = np.asarray(image)
        values = values.astype(values.dtype.newbyteorder("="))[:, :, None]
        transparent = image.info.get("transparency")
        if transparent is None:
            return values
        opacity = np.where(values == transparent, 0, np.iinfo(values.dtype).max).astype(values.dtype)
        return np.concatenate([values, opacity], axis=2)
    is_gray = image.mode in ("1", "L", "LA", "La")
    if image.has_transparency_data:
        image = image.convert("LA" if is_gray else "RGBA")
    elif not is_gray:
        image = image.convert("RGB")
    values = np.asarray(image)
    return values.reshape(*values.shape[:2], -1)


def read_orientation(image: Image.Image) -> int:
    """Return the orientation that the EXIF data of a loaded image give, 1 (upright) without any."""
    try:
        return image.getexif().get(ExifTags.Base.Orientation, 1)
    except Exception:  # damaged EXIF data do not damage the image
        return 1


def turn_upright(values: np.ndarray, orientation: int) -> np.ndarray:
    """Return an image (height, width, channels) turned and flipped as its EXIF orientation, 1 to 8, says."""
    if orientation in EXCHANGED_AXES:
        values = values.swapaxes(0, 1)
    if orientation in FLIPPED_COLUMNS:
        values = values[:, ::-1]
    return values[::-1] if orientation in FLIPPED_ROWS else values


def read_tiff(path: str | Path) -> Picture:
    """Return the first page of a TIFF file.

    tifffile reads any type of number; Pillow reads palettes, color spaces and compressions that tifffile does not.
    """
    with tifffile.TiffFile(path) as file:
        page, has_more = file.pages[0], len(file.pages) > 1
        if page.is_reduced:
            raise ValueError("its first page is a preview, as in the raw files of cameras")
        if page.dtype not in (bool, np.uint8) and page.photometric != tifffile.PHOTOMETRIC.PALETTE:
            try:
                return Picture(read_page(page), has_more)
            except ValueError as error:
                if "requires the 'imagecodecs' package" not in str(error):
                    raise
                if page.samplesperpixel > 1:
                    problem = f"the compression {page.compression.name} is read for gray images and bytes only"
                    raise ValueError(f"{problem}; save it without") from error
    with Image.open(path, formats=["TIFF"]) as image:  # Pillow turns it upright
        values = read_values(image)
        is_inverted = page.photometric == tifffile.PHOTOMETRIC.MINISWHITE and image.mode.startswith("I;16")
        return Picture(np.iinfo(values.dtype).max - values if is_inverted else values, has_more)


def read_page(page: tifffile.TiffPage) -> np.ndarray:
    """Return the values of a page of a TIFF file, (height, width, 1 to 4), upright."""
    values = page.asarray()
    if page.axes == "SYX":
        values = np.moveaxis(values, 0, 2)
    values = values.reshape(*values.shape[:2], -1)
    if page.axes not in ("YX", "YXS", "SYX") or values.shape[2] > 4:
        raise ValueError(f"its first page has the axes {page.axes} and {page.samplesperpixel} values a pixel")
    if values.shape[2] in (2, 4) and page.extrasamples != (tifffile.EXTRASAMPLE.UNASSALPHA,):
        raise ValueError(f"its first page has {values.shape[2]} values a pixel, of which none is opacity")
    if page.photometric == tifffile.PHOTOMETRIC.MINISWHITE and values.dtype.kind == "u":
        values = np.iinfo(values.dtype).max - values
    orientation = page.tags.get(ExifTags.Base.Orientation)
    return turn_upright(values, int(orientation.value) if orientation else 1)


def find_white(dtype: np.dtype, white: float | None) -> float:
    """Return the value that is white in an image of a type: `white`, unless the type cannot hold it."""
    if dtype.kind == "b":
        return 1
    if dtype.kind == "f":
        return white or 1
    highest = int(np.iinfo(dtype).max)
    return white if white and white <= highest else highest


def scale_values(values: np.ndarray, white: float | None) -> np.ndarray:
    """Return the values of a picture as float32 (height, width, 1 or 3) in [0, 1], on white where it is transparent.

    Without `white`, an integer k of n bits becomes k / 2^n, and a number from 0 to 1 is unchanged. With it, `white`
    becomes 1, and so does what is brighter.
    """
    highest = find_white(values.dtype, None)
    is_given = find_white(values.dtype, white) != highest
    divisor = white if is_given else highest + (values.dtype.kind in "ui")
    scaled = (values / np.float32(divisor)).astype(np.float32)
    if values.shape[2] in (1, 3):
        return scaled.clip(0, 1)
    opacity = (values[:, :, -1:] / highest).astype(np.float32)
    return scaled[:, :, :-1].clip(0, 1) * opacity + WHITE * (1 - opacity)
