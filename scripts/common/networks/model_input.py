"""The input of a model that is used as it is: its shape, and the scaling of the images."""

import logging
import math
from collections.abc import Sequence

import numpy as np

from common.errors import UserError, format_shape
from common.networks.applications import APPLICATIONS, DEVIATIONS, published_scaling
from common.networks.graph import is_graph, trace_all_calls
from common.networks.keras_setup import keras

log = logging.getLogger("workflow")

AUTO = "auto"
LUMINANCE = (0.299, 0.587, 0.114)  # of red, green and blue, by ITU-R BT.601
LARGE = 16  # a factor from which, or a divisor up to which, a layer does not make bytes of it that are near 1
SHAPERS = (  # layers and operations that leave the range of the values as it is
    *("InputLayer", "Identity", "Cast", "Reshape", "Flatten", "Permute", "RepeatVector", "Concatenate", "GetItem"),
    *("Stack", "Resizing", "UpSampling2D", "ZeroPadding2D", "CenterCrop", "Cropping2D", "Dropout", "GaussianNoise"),
)


def fit_input(model: keras.Model, name: str, image_shape: Sequence[int], shape: Sequence[int]) -> tuple[int, ...]:
    """Return the shape of one input of `model` when it is given images that were transformed to `shape`.

    It is `shape` or, for images of one channel, the same without channel axis, or flattened. Raises UserError, which
    says what to set, if the model does not take such images.
    """
    inputs = model.inputs if is_graph(model) else []
    taken = inputs[0].shape[1:] if len(inputs) == 1 else ()
    if len(taken) == 3 and all(length in (None, ours) for length, ours in zip(taken, shape, strict=True)):
        return tuple(shape)
    gray = fill_gray_shape(taken, shape)
    if gray:
        return gray
    wanted = find_image_shape(taken, shape)
    if not wanted:
        described = " and ".join(format_shape(tensor.shape[1:]) for tensor in inputs) or "no input of a known shape"
        raise UserError(
            f"network.model: {name} takes {described}, not images (height, width, channels). Put layers such as "
            "keras.layers.Reshape before it, and save that model."
        )
    settings = {"size": list(wanted[:2])} if wanted[:2] != tuple(shape[:2]) else {}
    if wanted[2] != shape[2]:
        settings["channels"] = wanted[2]
    made = "" if tuple(shape) == tuple(image_shape) else f", transformed to {format_shape(shape)} by network.input"
    remedy = ", ".join(f"network.input.{key}: {value}" for key, value in settings.items())
    raise UserError(
        f"network.input: {name} takes images of {format_shape(taken)}, these are {format_shape(image_shape)}{made}."
        f" Set {remedy}."
    )


def fill_gray_shape(taken: Sequence[int | None], shape: Sequence[int]) -> tuple[int, ...]:
    """Return an input's shape, free lengths set, if it takes images of `shape` without channel axis, or flattened.

    Axes of length 1 count for nothing. The result is empty if the input takes other images.
    """
    height, width, channels = shape
    if channels != 1:
        return ()
    lengths = [length for length in taken if length != 1]
    if lengths == [height * width]:
        return tuple(taken)
    if len(lengths) == 2 and all(length in (None, ours) for length, ours in zip(lengths, shape[:2], strict=True)):
        ours = iter(shape[:2])
        return tuple(1 if length == 1 else next(ours) for length in taken)
    return ()


def find_image_shape(taken: Sequence[int | None], shape: Sequence[int]) -> tuple[int, int, int] | None:
    """Return the height, width and channels of the images that an input takes, None if that is not known.

    A flattened input is taken as that of square gray images. Free lengths are those of `shape`.
    """
    lengths = [length for length in taken if length != 1]
    if len(taken) == 3 and taken[-1] in (None, 1, 3):
        height, width, channels = (length or ours for length, ours in zip(taken, shape, strict=True))
        return height, width, channels
    if len(lengths) == 2:
        height, width = (length or ours for length, ours in zip(lengths, shape[:2], strict=True))
        return height, width, 1
    if len(lengths) == 1 and lengths[0] and math.isqrt(lengths[0]) ** 2 == lengths[0]:
        return math.isqrt(lengths[0]), math.isqrt(lengths[0]), 1
    return None


def channel_transform(channels: int, wanted: int, scaling: str) -> tuple[np.ndarray, np.ndarray]:
    """Return the affine transform of an image's channels to a network's: kernel (channels, wanted), bias (wanted,).

    Image values are in [0, 1). One channel is repeated; three become their luminance. `scaling` is unit (0 to 1), bytes
    (0 to 255; images are multiples of 1/256), or tf, torch or caffe, as in keras.applications.imagenet_utils. Raises
    UserError if there is no such transform.
    """
    if scaling in ("torch", "caffe") and wanted != 3:
        raise UserError(
            f"network.input.scaling: {scaling} needs three channels, not {wanted}. Set network.input.channels: 3."
        )
    if channels == wanted:
        kernel = np.eye(channels)
    elif channels == 1:
        kernel = np.ones((1, wanted))
    elif wanted == 1 and channels == 3:
        kernel = np.reshape(LUMINANCE, (3, 1))
    else:
        raise UserError(f"network.input.channels: images of {channels} channels cannot become images of {wanted}.")
    if scaling == "unit":
        return kernel, np.zeros(wanted)
    kernel = kernel * 256
    if scaling == "tf":
        return kernel / 127.5, np.full(wanted, -1.0)
    if scaling == "torch":
        return kernel / 255 / DEVIATIONS, -np.array([0.485, 0.456, 0.406]) / DEVIATIONS
    if scaling == "caffe":
        return kernel[:, ::-1], -np.array([103.939, 116.779, 123.68])  # blue, green, red
    return kernel, np.zeros(wanted)


def choose_scaling(scaling: str, name: str, model: keras.Model) -> str:
    """Return the scaling of the images for `model`, whose name in the configuration is `name`.

    `scaling` is that of the configuration. If it is auto, a network of keras.applications gets the scaling of its
    published weights, another model bytes or unit, see `guess_scaling`. A scaling that differs from the published one
    is warned of.
    """
    if name.startswith(APPLICATIONS):
        published = published_scaling(name)
        if scaling not in (AUTO, published):
            log.warning(
                "warning: network.input.scaling is %s, but the published weights of %s were trained with %s. Unless "
                "yours were not, set it to auto.",
                scaling,
                name,
                published,
            )
        return published if scaling == AUTO else scaling
    if scaling != AUTO:
        return scaling
    guessed = guess_scaling(model)
    reason = "begins by scaling bytes" if guessed == "bytes" else "does not begin by scaling bytes"
    log.info("network.input.scaling is %s, since %s %s", guessed, name, reason)
    return guessed


def guess_scaling(model: keras.Model) -> str:
    """Return bytes if a model begins with a layer that scales bytes, such as Rescaling(1 / 255), else unit.

    Layers before it may change the shape of the images, or augment them.
    """
    for call in trace_all_calls(model).values():
        kind = type(call.layer).__name__
        if not (call.is_nested_model() or kind in SHAPERS or kind.startswith("Random")):
            return "bytes" if scales_bytes(call.layer, call.arguments) else "unit"
    return "unit"


def scales_bytes(layer: keras.Operation, arguments: Sequence[object]) -> bool:
    """Return whether a layer, or an operation with a constant as its second argument, is made for values up to 255."""
    if isinstance(layer, keras.layers.Rescaling):
        return bool(np.max(np.abs(layer.scale)) <= 1 / LARGE)
    if isinstance(layer, keras.layers.Normalization):  # a mean or a variance that values from 0 to 1 cannot have
        mean, variance = (np.asarray(keras.ops.convert_to_numpy(value)) for value in (layer.mean, layer.variance))
        return bool(mean.max() > 1 or variance.max() > 0.25)
    constant = arguments[1] if len(arguments) > 1 else None
    if constant is None or isinstance(constant, keras.KerasTensor):
        return False
    size, kind = np.max(np.abs(np.asarray(constant))), type(layer).__name__
    if kind in ("Divide", "TrueDivide"):
        return bool(size >= LARGE)
    if kind == "Multiply":
        return bool(size <= 1 / LARGE)
    return kind in ("Add", "Subtract") and bool(size > 2)
