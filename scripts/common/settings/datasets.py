"""What follows from the settings of a data set (common.settings.resolve)."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from common.scoring.parameters import N_PRESERVED
from common.tsne import perplexity

DIGITS = {"classes": 10, "size": (8, 8)}  # of scikit-learn
NOT_TSNE = ("seeds", "landmarks")  # keys of tsne that t-SNE itself does not use
Settings = Mapping[str, Any]


class Checkpoint(NamedTuple):
    """The state of a network after an epoch: 0 is before training, None is the last. A model as it is has no seed."""

    seed: int | None
    epoch: int | None


def is_vectors(settings: Settings) -> bool:
    """Return whether the features are the user's vectors, rather than computed from images."""
    return settings["kind"] == "vectors"


def has_images(settings: Settings) -> bool:
    """Return whether the data set has images to show; vectors may have none."""
    return not is_vectors(settings) or settings["source"]["train"]["images"] is not None


def row_noun(settings: Settings) -> str:
    """Return what texts call a row of the data set: "image", or "row" of a data set without images."""
    return "image" if has_images(settings) else "row"


def layer_names(settings: Settings) -> list[str]:
    """Return the names of the layers, as file names have them."""
    return [layer["name"] for layer in settings["layers"]]


def find_layer(settings: Settings, name: str) -> dict[str, Any]:
    """Return the settings of one layer."""
    return next(layer for layer in settings["layers"] if layer["name"] == name)


def reference_layer(settings: Settings) -> str:
    """Return the layer that others are compared with and aligned to: the pixels, or else the first."""
    names = layer_names(settings)
    return "pixel" if "pixel" in names else names[0]


def is_network_layer(settings: Settings, layer: str) -> bool:
    """Return whether a layer belongs to a network of the workflow; pixels and vectors do not."""
    return not is_vectors(settings) and layer != "pixel"


def network_layers(settings: Settings) -> list[str]:
    """Return the names of the layers that belong to a network of the workflow."""
    return [layer for layer in layer_names(settings) if is_network_layer(settings, layer)]


def has_predictions(settings: Settings, layer: str) -> bool:
    """Return whether a layer belongs to a network that predicts labels, of the workflow or of the user."""
    return layer != "pixel" and bool(predictions(settings))


def seeds_by_suffix(kind: str, seeds: list[int | None]) -> dict[str, int | None]:
    """Return seeds by the suffix in file names, such as "-tsne2"; that of the first seed is empty."""
    return {"": seeds[0]} | {f"-{kind}{seed}": seed for seed in seeds[1:]}


def network_seeds_by_suffix(settings: Settings) -> dict[str, int | None]:
    """Return the seeds of the networks by suffix; an imported model has no seed."""
    return seeds_by_suffix("training", settings["network"]["seeds"] if settings["trained"] else [None])


def tsne_seeds_by_suffix(settings: Settings) -> dict[str, int]:
    """Return the seeds of the embeddings by suffix."""
    return seeds_by_suffix("tsne", settings["tsne"]["seeds"])


def network_seeds(settings: Settings) -> list[int]:
    """Return the seeds of the networks that are trained."""
    return settings["network"]["seeds"] if settings["trained"] else []


def first_network_seed(settings: Settings) -> list[int]:
    """Return the seed of the network that the figures show, in a list that is empty without one."""
    return network_seeds(settings)[:1]


def first_tsne_seed(settings: Settings) -> int:
    """Return the seed of the embeddings that the figures show; neighbors and landmarks use it, too."""
    return settings["tsne"]["seeds"][0]


def networks(settings: Settings) -> list[str]:
    """Return the suffixes of the networks of the workflow; none if no layer belongs to one."""
    uses_network = any(is_network_layer(settings, layer) for layer in layer_names(settings))
    return list(network_seeds_by_suffix(settings)) if uses_network else []


def predictions(settings: Settings) -> list[str]:
    """Return the suffixes of the networks that predict labels; the predictions that come with vectors have none."""
    if is_vectors(settings):
        return [""] if settings["source"]["train"]["predictions"] else []
    return networks(settings)


def checkpoints_by_suffix(settings: Settings) -> dict[str, Checkpoint]:
    """Return the checkpoints whose layers are mapped by suffix, such as "-training2-epoch0"; the last ones come first.

    Before training, a model that is used as it is has new weights, drawn with the first seed; vectors have no seeds.
    """
    last = {suffix: Checkpoint(seed, None) for suffix, seed in network_seeds_by_suffix(settings).items()}
    if is_vectors(settings):
        return last | {f"-epoch{epoch}": Checkpoint(None, int(epoch)) for epoch in vector_checkpoints(settings)}
    seeds = {suffix: settings["network"]["seeds"][0] if one.seed is None else one.seed for suffix, one in last.items()}
    epochs = settings["network"]["checkpoints"]
    return last | {f"{suffix}-epoch{epoch}": Checkpoint(seeds[suffix], epoch) for epoch in epochs for suffix in last}


def checkpoints_of_layer(settings: Settings, layer: str) -> dict[str, Checkpoint]:
    """Return the checkpoints of a layer by suffix; pixels have one, with an empty suffix."""
    by_suffix = checkpoints_by_suffix(settings)
    if is_network_layer(settings, layer):
        return by_suffix
    given = [f"-epoch{epoch}" for epoch, layers in vector_checkpoints(settings).items() if layer in layers]
    return {suffix: by_suffix[suffix] if suffix else Checkpoint(None, None) for suffix in ["", *given]}


def vector_checkpoints(settings: Settings) -> dict[str, dict[str, str]]:
    """Return the files of vectors before the last epoch, by epoch and layer; images have none."""
    return settings["source"]["train"]["checkpoints"] or {} if is_vectors(settings) else {}


def explorer_states(settings: Settings) -> list[tuple[str, str, int | None]]:
    """Return the layer, suffix and epoch of each map of the explorer, of the first network; last epochs come first."""
    last = [(layer, "", None) for layer in layer_names(settings)]
    by_layer = {layer: checkpoints_of_layer(settings, layer) for layer, _, _ in last}
    return last + [
        (layer, suffix, checkpoint.epoch)
        for layer, by_suffix in by_layer.items()
        for suffix, checkpoint in by_suffix.items()
        if suffix == f"-epoch{checkpoint.epoch}"
    ]


def initial_networks(settings: Settings) -> list[str]:
    """Return the suffixes of the networks before training; none if no layer belongs to one."""
    by_suffix = checkpoints_by_suffix(settings) if networks(settings) else {}
    return [suffix for suffix, checkpoint in by_suffix.items() if checkpoint.epoch == 0]


def control_layers(settings: Settings) -> list[str]:
    """Return the names of the layers that are mapped before training, too."""
    epochs = {
        layer: {checkpoint.epoch for checkpoint in checkpoints_of_layer(settings, layer).values()}
        for layer in layer_names(settings)
    }
    return [layer for layer, found in epochs.items() if 0 in found]


def n_neighbors(settings: Settings) -> int:
    """Return how many neighbors of each row are searched: enough for t-SNE and for the scores."""
    return max(perplexity.n_neighbors(settings["tsne"]["perplexity"]), max(N_PRESERVED))


def tsne_parameters(settings: Settings) -> dict[str, Any]:
    """Return the parameters of t-SNE, without the seed."""
    return {name: value for name, value in settings["tsne"].items() if name not in NOT_TSNE}


def count_epochs(settings: Settings) -> int:
    """Return for how many epochs the network is trained."""
    return sum(phase["epochs"] for phase in settings["network"]["schedule"])


def shown_epochs(settings: Settings) -> list[int]:
    """Return the epochs after which the layers are mapped, ascending, with the last."""
    return [*sorted(settings["network"]["checkpoints"]), count_epochs(settings)]


def later_epochs(settings: Settings) -> list[int]:
    """Return the epochs between the first and the last after which the layers are mapped, too, ascending."""
    return sorted(set(settings["network"]["checkpoints"]) - {0}) if settings["trained"] else []


def count_classes(settings: Settings) -> int | None:
    """Return the number of classes, None if it is unknown before the data set is read."""
    return len(settings["classes"] or []) or (DIGITS["classes"] if settings["kind"] == "digits" else None)


def marks_errors(settings: Settings) -> bool:
    """Return whether figures mark what the network misclassifies."""
    return settings["figures"]["errors"] and bool(predictions(settings))


def shows_filters(settings: Settings) -> bool:
    """Return whether the filters of the first convolution are drawn: of the notebook's network, if conv1 is mapped."""
    return settings["network"]["model"] == "notebook" and settings["trained"] and "conv1" in layer_names(settings)
