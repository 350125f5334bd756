# Functions for the input and parameters of the rules that compare networks.


def compared(wildcards):
    """Return the data sets of a comparison, one for each network."""
    return COMPARED[wildcards.comparison]


def of_compared(pattern):
    """Return a function for `input`: a file of each data set of a comparison."""
    return lambda wildcards: collect(pattern, dataset=compared(wildcards))


def of_first_compared(pattern):
    """Return a function for `input`: a file of the first data set of a comparison, whose images all share."""
    return lambda wildcards: pattern.format(dataset=compared(wildcards)[0])


def compared_layers(wildcards):
    """Return the network and the layer of all layers of a comparison; the pixels are those of the first network."""
    return [
        {"network": dataset, "layer": layer}
        for number, dataset in enumerate(compared(wildcards))
        for layer in datasets.layer_names(SETTINGS[dataset])
        if layer != "pixel" or not number
    ]


def of_compared_layers(*patterns):
    """Return a function for `input`: files of all layers of a comparison, in the order of compared_layers."""
    return lambda wildcards: [
        pattern.format(dataset=state["network"], layer=state["layer"])
        for state in compared_layers(wildcards)
        for pattern in patterns
    ]


def compared_maps(wildcards):
    """Return the layer, with the name of its network, and the epoch of each map of a comparison's explorer."""
    names = [(state["network"], state["layer"]) for state in compared_layers(wildcards)]
    return [{"layer": layer if layer == "pixel" else f"{name}: {layer}", "epoch": None} for name, layer in names]


def images_of_compared(wildcards):
    """Return the images of all splits of a comparison."""
    return collect(images_by_split("images"), dataset=compared(wildcards)[0])


@report_user_errors("configuration: ")
def palette_of_compared(wildcards):
    """Return the palette of a comparison, that of its first data set."""
    first = compared(wildcards)[0]
    return sources.check_palette_size(SETTINGS[first], first)


def everything_of_comparison(comparison):
    """Return every figure and table of a comparison."""
    made = (
        rules.compare_networks,
        rules.measure_network_similarity,
        rules.plot_networks,
        rules.plot_network_scores,
        rules.plot_network_similarity,
        rules.summarize_comparison,
        rules.build_comparison_explorer,
    )
    return [file for rule in made for file in collect(rule.output, comparison=comparison)]
