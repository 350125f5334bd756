# Functions for the input, parameters and resources of the rules.

import json
import re
from pathlib import Path

# Any rule.


def by_split(pattern):
    """Return the files of all splits, by a pattern with {split}, the suffix of their names."""
    return [pattern.replace("{split}", suffix) for suffix in SUFFIXES]


def images_by_split(kind):
    """Return the images or labels of all splits."""
    return [f"results/{{dataset}}/data/{split}_{kind}.npy" for split in SPLITS]


def names_by_split():
    """Return the tables of the rows' names of all splits."""
    return [f"results/{{dataset}}/data/{split}_files.csv" for split in SPLITS]


def setting(key):
    """Return a function that looks a setting of a job's data set up, such as network/seeds."""
    return lookup(f"{{dataset}}/{key}", within=SETTINGS)


def of_dataset(function):
    """Return a function for `params` that applies one of common.settings.datasets to a job's data set."""
    return lambda wildcards: function(SETTINGS[wildcards.dataset])


def optional_file(key):
    """Return a function for `input` that returns the file in a setting, or none."""
    return lambda wildcards: setting(key)(wildcards) or []


def of_layers(pattern, **parts):
    """Return a function for `input`: the files of all layers of a job's data set."""
    return lambda wildcards: collect(
        pattern, dataset=wildcards.dataset, layer=datasets.layer_names(SETTINGS[wildcards.dataset]), **parts
    )


def of_images(patterns):
    """Return a function for `input`: files of a job's data set if it has images, else none."""
    return lambda wildcards: collect(patterns, dataset=wildcards.dataset) if wildcards.dataset in ILLUSTRATED else []


def of_networks(pattern):
    """Return a function for `input`: the files of all networks of a job's data set."""
    return lambda wildcards: collect(
        pattern, dataset=wildcards.dataset, training=datasets.networks(SETTINGS[wildcards.dataset])
    )


def of_controls(pattern):
    """Return a function for `input`: the files of a job's data set before training, of all its networks."""
    return lambda wildcards: collect(
        pattern, dataset=wildcards.dataset, training=datasets.initial_networks(SETTINGS[wildcards.dataset])
    )


def of_control_layers(pattern, **parts):
    """Return a function for `input`: the files of a data set's layers before training, of the first network."""
    return lambda wildcards: collect(
        pattern,
        dataset=wildcards.dataset,
        layer=datasets.control_layers(SETTINGS[wildcards.dataset]),
        training="-epoch0",
        **parts,
    )


def of_predictions(wildcards):
    """Return the predictions of all networks of a job's data set."""
    suffixes = datasets.predictions(SETTINGS[wildcards.dataset])
    return collect("results/{dataset}/network/predictions{training}.csv", dataset=wildcards.dataset, training=suffixes)


def of_reference_layer(pattern):
    """Return a function for `input`: the file of the reference layer of a job's data set."""
    return lambda wildcards: pattern.format(
        dataset=wildcards.dataset, layer=datasets.reference_layer(SETTINGS[wildcards.dataset])
    )


# Data.


@report_user_errors("configuration: ")
def dataset_files(wildcards):
    """Return the files of a data set of images, by the arguments of its reader."""
    settings, path = SETTINGS[wildcards.dataset], f"datasets.{wildcards.dataset}"
    sources.check_sources(settings, path)
    files = sources.list_sources(settings)
    # The time of a folder says little: folder_digest says whether the files in it have changed.
    return {name: ancient(file) for name, file in files.items()} if settings["kind"] == "folder" else files


def folder_options(wildcards):
    """Return the settings with which a folder of images is read."""
    settings = SETTINGS[wildcards.dataset]
    options = {"folder": ("size", "white", "skip_damaged"), "vectors": ("size", "white")}.get(settings["kind"], ())
    return {key: settings[key] for key in options}


@functools.cache
def digest_folder(folder):
    """Return a digest of the files in a folder, which a run computes once."""
    return digest_files(folder)


def folder_digest(wildcards):
    """Return a digest of the files in a job's folder of images, which a change in place changes; None without one."""
    settings = SETTINGS[wildcards.dataset]
    return digest_folder(settings["source"]) if settings["kind"] == "folder" else None


def vector_files(*names):
    """Return a function for `unpack`: files of vectors by split and some of the names VECTOR_FILES, such as test_labels."""

    def files(wildcards):
        found = sources.list_vector_sources(SETTINGS[wildcards.dataset], names, wildcards.get("layer"))
        # The time of a folder says little: image_digests say whether the files in it have changed.
        return {name: ancient(file) if is_folder(file) else file for name, file in found.items()}

    return files


def is_folder(file):
    """Return whether a file of vectors, or a list of them, is a folder."""
    return isinstance(file, str) and Path(file).is_dir()


def image_digests(wildcards):
    """Return digests of the files in the folders that have the images of vectors, by split."""
    paths = {split: files["images"] for split, files in SETTINGS[wildcards.dataset]["source"].items()}
    return {split: digest_folder(path) for split, path in paths.items() if is_folder(path)}


def reader_code(wildcards):
    """Return a digest of the reader of a job's data set."""
    return code(f"common/readers/{SETTINGS[wildcards.dataset]['kind']}.py")


# Networks.


def model_file(wildcards):
    """Return the user's file that network.model names, or none."""
    model = SETTINGS[wildcards.dataset]["network"]["model"]
    return model if model.endswith((".py", ".keras")) else []


def model_imports(wildcards):
    """Return the files that the user's Python file imports from its own folder, as far as they can be read."""
    model = Path(SETTINGS[wildcards.dataset]["network"]["model"])
    if model.suffix != ".py" or not model.exists():
        return []
    return [str(path) for name, path in list_imports(model).items() if name != model.name]


def class_order(wildcards):
    """Return the order of the outputs of a model that is used as it is; that of a trained one follows its labels."""
    settings = SETTINGS[wildcards.dataset]
    return None if settings["trained"] else settings["network"]["class_order"]


def architecture_code(wildcards):
    """Return a digest of the built-in architecture of a job's network, if it has one."""
    file = f"common/networks/architectures/{SETTINGS[wildcards.dataset]['network']['model']}.py"
    return code(file) if source(file) else None


def architecture_settings(wildcards):
    """Return the settings that a built-in architecture depends on; a user's file gets none."""
    network = SETTINGS[wildcards.dataset]["network"]
    return {} if network["model"].endswith(".py") else {key: network[key] for key in ("filters", "kernel", "units")}


def checkpoint(wildcards):
    """Return the seed and the epoch of a job's network, each None if its layer does not belong to one."""
    settings, layer = SETTINGS[wildcards.dataset], wildcards.get("layer")
    if layer is None:
        return datasets.checkpoints_by_suffix(settings)[wildcards.training]
    return datasets.checkpoints_of_layer(settings, layer)[wildcards.training]


def network_seed(wildcards):
    """Return the seed of a job's network; None if its layer does not belong to one, or it is used as it is."""
    return checkpoint(wildcards).seed


def network_epoch(wildcards):
    """Return the epoch after which a job's network was saved; None for the last."""
    return checkpoint(wildcards).epoch


def imported_network(wildcards):
    """Return the network of a job's data set that is used as it is, or none."""
    return rules.import_model.output.network if wildcards.dataset in IMPORTED else []


def trained_model_file(wildcards):
    """Return the user's file that builds a network to be trained, or none."""
    return model_file(wildcards) if wildcards.dataset in TRAINED else []


def training_minutes(wildcards, input, attempt):
    """Return the minutes that a training requests, in proportion to its epochs."""
    epochs = datasets.count_epochs(SETTINGS[wildcards.dataset])
    return request(15, train_images=0.01 * epochs)(wildcards, input, attempt)


def layer_setting(key):
    """Return a function for `params` that looks a setting of a job's layer up."""
    return lambda wildcards: datasets.find_layer(SETTINGS[wildcards.dataset], wildcards.layer)[key]


# Embeddings and scores.


def tsne_seed(wildcards):
    """Return the seed of a job's embedding."""
    return datasets.tsne_seeds_by_suffix(SETTINGS[wildcards.dataset])[wildcards.tsne]


def reference_map(patterns):
    """Return a function for `input`: the files of the reference layer's embedding; none for that layer itself."""

    def files(wildcards):
        layer = datasets.reference_layer(SETTINGS[wildcards.dataset])
        if wildcards.layer == layer and not wildcards.training:
            return []
        return [pattern.format(dataset=wildcards.dataset, layer=layer, tsne=wildcards.tsne) for pattern in patterns]

    return files


def landmark_rows(wildcards):
    """Return the file of a layer's landmarks, if the data set has landmarks."""
    return rules.choose_landmarks.output.rows if wildcards.dataset in LANDMARKED else []


def all_scores(pattern):
    """Return a function for `input`: a file of all layers of a data set, for all its networks and embeddings."""

    def files(wildcards):
        settings = SETTINGS[wildcards.dataset]
        return [
            pattern.format(dataset=wildcards.dataset, layer=layer, training=training, tsne=tsne)
            for layer in datasets.layer_names(settings)
            for training in datasets.checkpoints_of_layer(settings, layer)
            for tsne in datasets.tsne_seeds_by_suffix(settings)
        ]

    return files


def all_features(pattern):
    """Return a function for `input`: a file of all layers of a data set, for all checkpoints of its networks."""

    def files(wildcards):
        settings = SETTINGS[wildcards.dataset]
        return [
            pattern.format(dataset=wildcards.dataset, layer=layer, training=training)
            for layer in datasets.layer_names(settings)
            for training in datasets.checkpoints_of_layer(settings, layer)
        ]

    return files


def states_of_features(settings):
    """Return the layer, epoch and network seed of each file of all_features."""
    return [
        {"layer": layer, "epoch": checkpoint.epoch, "network_seed": checkpoint.seed}
        for layer in datasets.layer_names(settings)
        for checkpoint in datasets.checkpoints_of_layer(settings, layer).values()
    ]


def is_shown_map(wildcards):
    """Return whether a job's embedding is the one that the figures show, of the first network and the first seed."""
    return not wildcards.training and not wildcards.tsne


def first_predictions(wildcards):
    """Return the predictions of the network that the figures show, or none."""
    return of_predictions(wildcards)[:1]


def seeds_of_networks(settings):
    """Return the seeds of the networks that make predictions, None for one that is not trained here."""
    return [datasets.checkpoints_by_suffix(settings)[suffix].seed for suffix in datasets.predictions(settings)]


def has_predictions(wildcards):
    """Return whether a job's layer belongs to a network that predicts labels."""
    return datasets.has_predictions(SETTINGS[wildcards.dataset], wildcards.layer)


def methods_settings(settings):
    """Return the settings that the methods section describes."""
    keys = ("kind", "trained", "sample", "hold_out", "network", "layers", "tsne")
    return {key: settings[key] for key in keys} | {"noun": datasets.row_noun(settings)}


def with_gpu(settings):
    """Return the settings of a data set together with the global one that a reader of the report looks for."""
    return settings | {"gpu": config["gpu"]}


# Figures, report and explorer.

# The parts of the report, in its order.
LAYERS_IN_REPORT, MAPS_IN_REPORT, NETWORK_IN_REPORT = "1. Layers side by side", "2. Maps", "3. Network"


@report_user_errors("configuration: ")
def palette(wildcards):
    """Return the palette of a job's data set; ends with an error if it has fewer colors than there are classes."""
    return sources.check_palette_size(SETTINGS[wildcards.dataset], wildcards.dataset)


def marked_predictions(wildcards):
    """Return the predictions, if figures mark misclassified images."""
    return first_predictions(wildcards) if datasets.marks_errors(SETTINGS[wildcards.dataset]) else []


def error_files(wildcards):
    """Return the predictions and the held-out images' coordinates, if a scatter plot marks misclassified images."""
    settings = SETTINGS[wildcards.dataset]
    if not datasets.marks_errors(settings) or settings["figures"]["scatter"]["style"] == "notebook":
        return []
    held_out = by_split("results/{dataset}/aligned/{layer}{split}.npy")[1:]
    return first_predictions(wildcards) + collect(held_out, dataset=wildcards.dataset, layer=wildcards.layer)


def in_report(category, caption, figure):
    """Return the arguments of `report()` for a figure: category, caption, and labels, with facts about an embedding."""

    def labels(wildcards, input):
        layer = wildcards.get("layer")
        found = {"data set": wildcards.dataset} if len(config["make"]) > 1 else {}
        if layer is None:
            return found | {"layer": "all", "figure": figure}
        record = json.loads(Path(input.record).read_text())
        backend = f"{record['backend']} {record['version']}"
        return found | {
            "layer": layer,
            "figure": figure,
            "KL divergence": record["kl_divergence"],
            "perplexity": record["perplexity"],
            "made by": backend,
        }

    return {"category": category, "caption": f"../report/{caption}.rst", "labels": labels}


def page_files(html):
    """Return the paths of an HTML file in scripts/ and of the style sheets and scripts beside it that it names."""
    names = re.findall(r'<(?:link rel="stylesheet" href|script src)="([^"]+)">', source(html).read_text())
    files = [html, *(f"{Path(html).parent}/{name}" for name in names)]
    missing = [file for file in files if source(file) is None]
    if missing:
        raise WorkflowError(f"scripts/{html} names {', '.join(missing)}, which does not exist in scripts/.")
    return [source(file) for file in files]


# Targets.


def scatters_of(dataset):
    """Return every scatter plot."""
    return collect(rules.plot_scatter.output, dataset=dataset, layer=datasets.layer_names(SETTINGS[dataset]))


def thumbnails_of(dataset):
    """Return every embedding drawn with its images, if it has images."""
    layers = datasets.layer_names(SETTINGS[dataset]) if dataset in ILLUSTRATED else []
    return collect(rules.plot_thumbnails.output, dataset=dataset, layer=layers)


def filters_of(dataset):
    """Return the figure of the filters, if the network has them."""
    return collect(rules.plot_filters.output, dataset=[dataset] if datasets.shows_filters(SETTINGS[dataset]) else [])


def comparisons_of(dataset):
    """Return the figures and tables of all layers together, and the figure of the training."""
    tables = (
        rules.compare_layers,
        rules.measure_similarity,
        rules.tabulate_maps,
        rules.write_methods,
        rules.summarize_run,
    )
    found = [file for rule in (*COMPARISONS, *tables) for file in collect(rule.output, dataset=dataset)]
    found += collect(rules.plot_flow_images.output, dataset=[dataset] if dataset in ILLUSTRATED else [])
    return found + collect(rules.plot_history.output, dataset=[dataset] if dataset in TRAINED else [])


def everything_of(dataset):
    """Return every figure and table, and the explorer."""
    figures = (scatters_of, thumbnails_of, filters_of, comparisons_of)
    return [file for files in figures for file in files(dataset)] + collect(
        rules.build_explorer.output, dataset=dataset
    )


def of_all(files_of):
    """Return the files of all data sets that the configuration says to make."""
    return [file for dataset in config["make"] for file in files_of(dataset)]
