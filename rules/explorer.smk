# Needs: results/{dataset}/maps.csv, the images in results/{dataset}/data and the neighbors of all splits.
# Makes: results/{dataset}/explorer.html, one page to explore the embeddings of all layers with.


rule build_explorer:
    """Build the explorer, a page that needs no server and fetches nothing."""
    input:
        maps="results/{dataset}/maps.csv",
        classes="results/{dataset}/data/classes.json",
        images=of_images(images_by_split("images")),
        neighbors=of_layers("results/{dataset}/neighbors/{layer}{suffix}.npz", suffix=SUFFIXES),
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
        code=code("build_explorer.py"),
        page=digest(page_files("explorer/explorer.html")),
        layers=of_dataset(datasets.layer_names),
        palette=palette,
    script:
        "../scripts/build_explorer.py"
