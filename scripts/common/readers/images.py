"""Images from arrays: their shape, and their values as float32 in [0, 1]."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from common.errors import UserError, format_shape
from common.readers.streams import Stream

CHANNELS = (1, 3)


def image_shape(stream: Stream) -> tuple[int, int, int]:
    """Return height, width and channels of images (n, height, width) or (n, height, width, channels)."""
    shape = stream.shape
    problem = f"{stream.name} has the shape {format_shape(shape)}"
    if len(shape) == 2:
        raise UserError(f"{problem}: rows of {shape[1]} values are not images. Give them as vectors.")
    if len(shape) == 4 and shape[3] not in CHANNELS and shape[1] in CHANNELS:
        raise UserError(f"{problem}, with the channels second. Move them to the last axis with np.moveaxis.")
    if len(shape) not in (3, 4) or (len(shape) == 4 and shape[3] not in CHANNELS) or 0 in shape[1:]:
        raise UserError(f"{problem}. It must be (n, height, width) or (n, height, width, channels), 1 or 3 channels.")
    return (*shape[1:3], shape[3] if len(shape) == 4 else 1)


def as_images(stream: Stream) -> Stream:
    """Return images of bytes, or of numbers from 0 to 1, as float32 (n, height, width, channels).

    A byte k becomes k / 256. Raises UserError, when the blocks are read, with the number of images that have other
    values.
    """
    shape = image_shape(stream)

    def blocks() -> Iterator[np.ndarray]:
        wrong, problem = 0, ""
        for block in stream.blocks():
            if block.dtype.kind not in "buif":
                raise UserError(f"{stream.name} holds {block.dtype}. Images must be numbers.")
            images = block.reshape(len(block), *shape)
            is_integer = block.dtype.kind in "ui"
            highest, scale = (255, 256) if is_integer else (1, 1)
            remedy = "Scale them to bytes" if is_integer else "Divide them by 255, or give bytes"
            # The comparison is False for NaN.
            valid = ((images >= 0) & (images <= highest)).reshape(len(images), -1).all(axis=1)
            wrong += len(images) - np.count_nonzero(valid)
            problem = f"values outside 0 to {highest}. {remedy}"
            yield images.astype(np.float32) / np.float32(scale)
        if wrong:
            raise UserError(f"{wrong} of the {stream.shape[0]} images in {stream.name} have {problem}.")

    return replace(stream, shape=(stream.shape[0], *shape), blocks=blocks)


def transpose_images(stream: Stream) -> Stream:
    """Return images with height and width exchanged."""
    n, height, width, channels = stream.shape

    def blocks() -> Iterator[np.ndarray]:
        for block in stream.blocks():
            yield block.swapaxes(1, 2)

    return replace(stream, shape=(n, width, height, channels), blocks=blocks)
