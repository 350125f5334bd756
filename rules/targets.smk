# Needs: the rules before it.
# Makes: nothing by itself; these are the names to ask for: scatters, thumbnails, filters, comparisons, and of each data set its name.


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
    shown = (rules.plot_layers, rules.plot_scores, rules.compare_layers, rules.tabulate_maps, rules.summarize_run)
    trained = dataset in TRAINED and networks(dataset)
    history = expand(rules.plot_history.output, dataset=dataset if trained else [])
    return [file for rule in shown for file in expand(rule.output, dataset=dataset)] + history


def everything_of(dataset):
    """Every figure and table, and the explorer."""
    made = (scatters_of, thumbnails_of, filters_of, comparisons_of)
    return [file for files in made for file in files(dataset)] + expand(rules.build_explorer.output, dataset=dataset)


def of_all(files_of):
    """The files of every data set that the configuration says to make."""
    return [file for dataset in config["make"] for file in files_of(dataset)]


rule scatters:
    """Target: every scatter plot."""
    input:
        of_all(scatters_of),


rule thumbnails:
    """Target: every map drawn with its images."""
    input:
        of_all(thumbnails_of),


rule filters:
    """Target: the filters of the first convolution."""
    input:
        of_all(filters_of),


rule comparisons:
    """Target: the layers side by side, as figures and as tables, and how the training went."""
    input:
        of_all(comparisons_of),


for DATASET in SETTINGS:

    rule:
        name:
            DATASET
        input:
            everything_of(DATASET),
