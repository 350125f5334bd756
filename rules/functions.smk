# Functions for the input, parameters and resources of the rules.

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


def of_epochs(pattern):
    """Return a function for `input`: the files of a job's layer after each epoch that is mapped, of the first network."""

    def files(wildcards):
        suffixes = [f"-epoch{epoch}" for epoch in datasets.shown_epochs(SETTINGS[wildcards.dataset])[:-1]] + [""]
        return collect(pattern, dataset=wildcards.dataset, layer=wildcards.layer, training=suffixes)

    return files


def of_predictions(wildcards):
    """Return the predictions of all networks of a job's data set."""
    suffixes = datasets.predictions(SETTINGS[wildcards.dataset])
    return collect("results/{dataset}/network/predictions{training}.csv", dataset=wildcards.dataset, training=suffixes)


def of_reference_layer(pattern):
    """Return a function for `input`: the file of the reference layer of a job's data set."""
    return lambda wildcards: pattern.format(
        dataset=wildcards.dataset, layer=datasets.reference_layer(SETTINGS[wildcards.dataset])
    )


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


def last_network(wildcards):
    """Return the network after the last epoch of a job's training."""
    suffix = wildcards.training.removesuffix(f"-epoch{network_epoch(wildcards)}")
    return f"results/{wildcards.dataset}/network/network{suffix}.keras"


def kept_epochs(wildcards):
    """Return the epochs whose checkpoints a training keeps, as text, such as "0+1+5"."""
    return "+".join(map(str, [0, *datasets.later_epochs(SETTINGS[wildcards.dataset])]))


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
    derived = {"noun": datasets.row_noun(settings), "control_layers": datasets.control_layers(settings)}
    return {key: settings[key] for key in keys} | derived


def with_gpu(settings):
    """Return the settings of a data set together with the global one that a reader of the report looks for."""
    return settings | {"gpu": config["gpu"]}
