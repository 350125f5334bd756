# What the configuration says of each data set, as functions for the rules' input and params.

import math
import os
import re
from pathlib import Path


def setting(*keys):
    """What the configuration says of a job's data set, as a function for `params`."""

    def look_up(wildcards):
        value = SETTINGS[wildcards.dataset]
        for key in keys:
            value = value[key]
        return value

    return look_up


def layers(dataset):
    """The names of its layers, as in its files' names."""
    return [layer["name"] for layer in SETTINGS[dataset]["layers"]]


def of_layers(pattern, **parts):
    """The files of that name of each layer of a job's data set, as a function for `input`."""
    return lambda wildcards: expand(pattern, dataset=wildcards.dataset, layer=layers(wildcards.dataset), **parts)


def reference(dataset):
    """The layer that the others are compared with, and whose map theirs are turned to."""
    return "pixel" if "pixel" in layers(dataset) else layers(dataset)[0]


def repetitions(kind, seeds):
    """What is made several times, by the suffix in its files' names: that of the first seed has none."""
    return {"": seeds[0]} | {f"-{kind}{seed}": seed for seed in seeds[1:]}


def trainings(dataset):
    """Of the {training} in a file's name, the seed; a model that is used as it is has none."""
    settings = SETTINGS[dataset]
    return repetitions("training", settings["network"]["seeds"] if settings["trained"] else [None])


def tsnes(dataset):
    """Of the {tsne} in a file's name, the seed."""
    return repetitions("tsne", SETTINGS[dataset]["tsne"]["seeds"])


def tsne_parameters(wildcards):
    """How t-SNE makes its maps, but for the seed."""
    parameters = SETTINGS[wildcards.dataset]["tsne"]
    return {name: value for name, value in parameters.items() if name not in ("seeds", "landmarks")}


def network_seeds(wildcards):
    """Those of its networks that are trained."""
    return list(trainings(wildcards.dataset).values()) if wildcards.dataset in TRAINED else []


def is_of_network(dataset, layer):
    """Whether a layer is one of a network: the images themselves and vectors are not."""
    return SETTINGS[dataset]["kind"] != "vectors" and layer != "pixel"


def trainings_of(dataset, layer):
    """The {training} of the networks that a layer is of."""
    return list(trainings(dataset)) if is_of_network(dataset, layer) else [""]


def networks(dataset):
    """The {training} of a data set's networks: none, if no layer is of one."""
    return list(trainings(dataset)) if any(is_of_network(dataset, layer) for layer in layers(dataset)) else []


def predictions(dataset):
    """What its networks say of each image."""
    return expand("results/{dataset}/network/predictions{training}.csv", dataset=dataset, training=networks(dataset))


def shows_errors(dataset):
    """Whether a scatter plot marks what the network gets wrong, for which it must wait for the network."""
    scatter = SETTINGS[dataset]["figures"]["scatter"]
    return scatter["errors"] and scatter["style"] != "notebook" and bool(networks(dataset))


SPLITS = ["train", "validation", "test"]

# The data sets of images, and of vectors; those whose network is trained, and those whose is used as it is.
VECTORS = [dataset for dataset, settings in SETTINGS.items() if settings["kind"] == "vectors"]
IMAGES = [dataset for dataset in SETTINGS if dataset not in VECTORS]
TRAINED = [dataset for dataset in IMAGES if SETTINGS[dataset]["trained"]]
ADOPTED = [dataset for dataset in IMAGES if not SETTINGS[dataset]["trained"]]

# Those of which only landmarks are laid out by t-SNE, and the others placed in their map; those of which all rows are.
LANDMARKED = [dataset for dataset, settings in SETTINGS.items() if settings["tsne"]["landmarks"]]
WHOLE = [dataset for dataset in SETTINGS if dataset not in LANDMARKED]


def one_of(values):
    """A regular expression of them; of none, one that nothing matches."""
    return f"({'|'.join(map(re.escape, values))})" if values else "(?!)"


def neighbors(wildcards):
    """How many neighbors of each row are searched: as many as t-SNE heeds, and as many as the scores look at."""
    return max(int(3 * SETTINGS[wildcards.dataset]["tsne"]["perplexity"]), 30)


IDX_FILES = {
    "train_images": "train-images-idx3",
    "train_labels": "train-labels-idx1",
    "test_images": "t10k-images-idx3",
    "test_labels": "t10k-labels-idx1",
}


def idx_files(place, named):
    """The four IDX files in a folder, or of those whose names begin so; and EMNIST's names of the classes, if not `named`."""
    folder, beginning = (place, "") if os.path.isdir(place) else os.path.split(place)
    names = sorted(os.listdir(folder)) if os.path.isdir(folder) else []
    found = {}
    for name in names:
        match = re.fullmatch(r"(.*?)(train|t10k|test)-(images|labels)[-.]idx\d-ubyte(\.gz)?", name)
        if match and name.startswith(beginning):
            part = f"{match[2].replace('t10k', 'test')}_{match[3]}"
            found.setdefault(match[1], {}).setdefault(part, name)
    if len(found) > 1:
        refuse(f"{place}: there are several data sets; say of their names how the right ones begin: {', '.join(found)}")
    beginning, parts = next(iter(found.items()), ("", {}))
    folder = folder if found else place  # in which they are missing
    files = {part: parts.get(part, f"{beginning}{usual}-ubyte.gz") for part, usual in IDX_FILES.items()}
    mapping = f"{beginning}mapping.txt"
    if beginning and mapping in names and not named:
        files["mapping"] = mapping
    return {part: os.path.join(folder, name) for part, name in files.items()}


def count_classes(settings):
    """How many classes a data set has, if that is known before it is read."""
    return len(settings["classes"] or []) or (DIGITS["classes"] if settings["kind"] == "digits" else None)


def check_data(dataset):
    """Raise WorkflowError if what is known of a data set before it is read does not fit its network."""
    settings, path = SETTINGS[dataset], f"datasets.{dataset}"
    network, is_digits = settings["network"], settings["kind"] == "digits"
    if is_digits and settings["classes"] and len(settings["classes"]) != DIGITS["classes"]:
        refuse(
            f"{path}.classes: {len(settings['classes'])} names for {DIGITS['classes']} classes; give a name for each"
        )
    if settings["trained"] and network["model"] is None:
        size, least = DIGITS["size"] if is_digits else settings["size"], 2 ** len(network["filters"])
        if size and min(size) < least:
            refuse(
                f"network.filters: {len(network['filters'])} convolutions, each of which halves the images, need images "
                f"of {least} x {least} pixels or more; those of {path} have {size[0]} x {size[1]}"
            )
    largest = max(phase["batch_size"] for phase in network["schedule"])
    if settings["trained"] and settings["sample"] and settings["sample"] < largest:
        refuse(f"network.schedule: {settings['sample']} images ({path}.sample) do not fill a batch of {largest}")
    if (
        networks(dataset)
        and not settings["trained"]
        and network["input"]["channels"] == 1
        and network["input"]["scaling"] in COLOR_SCALINGS
    ):
        refuse(f"network.input.scaling: {network['input']['scaling']} is of three channels ({path}); set channels: 3")


def palette(wildcards):
    """The colors of the classes; raises WorkflowError if there are fewer than classes, as far as that is known by now."""
    colors, classes = SETTINGS[wildcards.dataset]["figures"]["palette"], count_classes(SETTINGS[wildcards.dataset])
    if colors == "auto" or not classes:
        return colors
    if isinstance(colors, str):
        try:
            import matplotlib
        except ImportError:
            return colors
        count = len(matplotlib.color_sequences.get(colors, [])) or math.inf  # a color map has any number
    else:
        count = len(colors)
    if count < classes:
        refuse(
            f"figures.palette: {count} colors for the {classes} classes of {wildcards.dataset}; give one a class, or auto"
        )
    return colors


def sources(wildcards):
    """The files that a data set is read from, by what its reader calls them."""
    check_data(wildcards.dataset)
    kind, source = (SETTINGS[wildcards.dataset][key] for key in ("kind", "source"))
    if kind == "digits":
        return {}
    if kind == "npy":
        return source
    if kind == "idx":
        return idx_files(source, named=SETTINGS[wildcards.dataset]["classes"] is not None)
    if kind == "folder":  # with the folders in it, whose times tell of files that come and go
        inside = sorted(str(path) for level in ("*/", "*/*/") for path in Path(source).glob(level))
        inside = [located(path, f"datasets.{wildcards.dataset}.folder") for path in inside]
        return {"folder": source, "inside": inside}
    return {"path": source}


def model_file(*suffixes):
    """The file of a model of one's own, if the configuration names one that ends so, as a function for `input`."""

    def look_up(wildcards):
        model = SETTINGS[wildcards.dataset]["network"]["model"]
        return model if model and model.endswith(suffixes) else []

    return look_up


def epochs(wildcards):
    """How many the network is trained for."""
    return sum(phase["epochs"] for phase in SETTINGS[wildcards.dataset]["network"]["schedule"])


def layer_of(wildcards):
    """What the configuration says of a job's layer."""
    return next(layer for layer in SETTINGS[wildcards.dataset]["layers"] if layer["name"] == wildcards.layer)


def images_of(split):
    """The images of a split, if the data set has images, as a function for `input`."""
    return lambda wildcards: (
        f"results/{wildcards.dataset}/data/{split}_images.npy" if wildcards.dataset in IMAGES else []
    )


# What each target makes.


def scatters_of(dataset):
    """Every scatter plot."""
    return expand(rules.plot_scatter.output, dataset=dataset, layer=layers(dataset))


def thumbnails_of(dataset):
    """Every map drawn with its images, if it has any."""
    return expand(rules.plot_thumbnails.output, dataset=dataset, layer=layers(dataset) if dataset in IMAGES else [])


def filters_of(dataset):
    """The filters of the first convolution, if it is among the layers of the notebook's network."""
    shown = (
        SETTINGS[dataset]["network"]["model"] is None and is_of_network(dataset, "conv1") and "conv1" in layers(dataset)
    )
    return expand(rules.plot_filters.output, dataset=dataset if shown else [])


def comparisons_of(dataset):
    """The layers side by side, as figures and as tables, and how the training went."""
    shown = (rules.plot_layers, rules.plot_scores, rules.compare_layers, rules.tabulate_maps)
    shown += (rules.write_methods, rules.summarize_run)
    history = expand(rules.plot_history.output, dataset=dataset if dataset in TRAINED else [])
    return [file for rule in shown for file in expand(rule.output, dataset=dataset)] + history


def everything_of(dataset):
    """Every figure and table, and the explorer."""
    made = (scatters_of, thumbnails_of, filters_of, comparisons_of)
    return [file for files in made for file in files(dataset)] + expand(rules.build_explorer.output, dataset=dataset)


def of_all(files_of):
    """The files of every data set that the configuration says to make."""
    return [file for dataset in config["make"] for file in files_of(dataset)]
