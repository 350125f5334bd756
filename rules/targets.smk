# Needs: the rules before it.
# Makes: nothing by itself; these are the names to ask for: scatters, thumbnails, filters, comparisons, and of each data set its name.


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
