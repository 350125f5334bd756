# Needs: results/{dataset}/maps.csv, the aligned embeddings and the neighbors of all layers, before training too, and the
#        images in results/{dataset}/data.
# Makes: results/{dataset}/explorer.html, one page to explore the embeddings of all layers with.


rule build_explorer:
    """Build the explorer, a page that needs no server and fetches nothing."""
    input:
        table="results/{dataset}/maps.csv",
        classes="results/{dataset}/data/classes.json",
        images=of_images(images_by_split("images")),
        texts=texts_of_rows,
        maps=of_explorer(by_split("results/{dataset}/aligned/{layer}{training}{split}.npy")),
        neighbors=of_explorer(by_split("results/{dataset}/neighbors/{layer}{training}{split}.npz")),
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
        name="{dataset}",
        states=of_dataset(explorer_maps),
        with_predictions=True,
        palette=palette,
    script:
        "../scripts/build_explorer.py"
