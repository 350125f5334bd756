# Needs: results/{dataset}/maps.csv, the images in results/{dataset}/data and the neighbors of both splits.
# Makes: results/{dataset}/explorer.html, one page to explore the embeddings of all layers with.


rule build_explorer:
    """Build the explorer, a page that needs no server and fetches nothing."""
    input:
        maps="results/{dataset}/maps.csv",
        classes="results/{dataset}/data/classes.json",
        train_images=of_images("results/{dataset}/data/train_images.npy"),
        test_images=of_images("results/{dataset}/data/test_images.npy"),
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
        code=code("build_explorer.py"),
        page=digest(page_files("explorer/explorer.html")),
        layers=of_dataset(datasets.layer_names),
        palette=palette,
    script:
        "../scripts/build_explorer.py"
