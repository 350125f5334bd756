# Needs: results/{dataset}/maps.csv, the images in results/{dataset}/data, and the nearest neighbors of both splits,
#        results/{dataset}/neighbors/{layer}.npz and {layer}_test.npz.
# Makes: results/{dataset}/explorer.html, one page that shows the maps of all layers.


rule build_explorer:
    """Build the explorer, a page that needs no server and fetches nothing."""
    input:
        maps="results/{dataset}/maps.csv",
        classes="results/{dataset}/data/classes.json",
        train_images=images_of("train"),
        test_images=images_of("test"),
        train_neighbors=of_layers("results/{dataset}/neighbors/{layer}.npz"),
        test_neighbors=of_layers("results/{dataset}/neighbors/{layer}_test.npz"),
    output:
        page="results/{dataset}/explorer.html",
    log:
        "logs/build_explorer/{dataset}.log",
    benchmark:
        "benchmarks/build_explorer/{dataset}.jsonl"
    localrule: True
    conda:
        "../envs/figures.yaml"
    params:
        helpers=helpers("arrays", "explorer.sprite_sheets", "figures", "files", "jobs", "made_by", "provenance"),
        page=digest(*page_files("explorer/explorer.html")),
        layers=lambda wildcards: layers(wildcards.dataset),
        palette=palette,
    script:
        "../scripts/build_explorer.py"
