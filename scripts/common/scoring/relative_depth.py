"""The depth of layers, by which networks of different length are compared."""

from collections.abc import Sequence


def relative_depths(layers: Sequence[str]) -> dict[str, float]:
    """Return the place of each mapped layer relative to the last one, from 0 for the pixels to 1."""
    of_network = [layer for layer in layers if layer != "pixel"]
    depths = {layer: (number + 1) / len(of_network) for number, layer in enumerate(of_network)}
    return {layer: depths.get(layer, 0.0) for layer in layers}
