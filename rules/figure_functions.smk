# Functions for the input, parameters and resources of the rules of figures, report and explorer, and for the targets.

import json
import re
from pathlib import Path

# The parts of the report, in its order.
LAYERS_IN_REPORT, MAPS_IN_REPORT, NETWORK_IN_REPORT = "1. Layers side by side", "2. Maps", "3. Network"
COMPARED_IN_REPORT = "4. Networks compared"


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
        if "comparison" in wildcards.keys():
            return {"comparison": wildcards.comparison, "figure": figure}
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


def of_explorer(patterns):
    """Return a function for `input`: files of each map of the explorer."""

    def files(wildcards):
        states = datasets.explorer_states(SETTINGS[wildcards.dataset])
        return [
            pattern.format(dataset=wildcards.dataset, layer=layer, training=suffix)
            for layer, suffix, _ in states
            for pattern in patterns
        ]

    return files


def texts_of_rows(wildcards):
    """Return the texts of the rows of a job's data set, if it has them."""
    settings = SETTINGS[wildcards.dataset]
    is_given = datasets.is_vectors(settings) and settings["source"]["train"]["text"]
    return collect(rules.prepare_texts.output.texts, dataset=wildcards.dataset) if is_given else []


def explorer_maps(settings):
    """Return the layer and the epoch of each map of the explorer, None after the last epoch."""
    return [{"layer": layer, "epoch": epoch} for layer, _, epoch in datasets.explorer_states(settings)]


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


def epochs_of(dataset):
    """Return the figures of the layers over the epochs, if epochs between the first and the last are mapped."""
    settings = SETTINGS[dataset]
    if not datasets.later_epochs(settings):
        return []
    maps = collect(rules.plot_epochs.output, dataset=dataset, layer=datasets.network_layers(settings))
    return maps + collect(rules.plot_learning.output, dataset=dataset)


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
    figures = (scatters_of, thumbnails_of, filters_of, comparisons_of, epochs_of)
    return [file for files in figures for file in files(dataset)] + collect(
        rules.build_explorer.output, dataset=dataset
    )


def of_all(files_of):
    """Return the files of all data sets that the configuration says to make."""
    return [file for dataset in config["make"] for file in files_of(dataset)]
