# Needs: results/{dataset}/layers.json, network/network.json, features, aligned and scores of each network of a comparison.
# Makes: results/{comparison}/networks.csv, the scores of all layers of all networks; similarity.csv, how similar the layers
#        represent the images; comparison.html, a page of the report; explorer.html; and the figures
#        results/figures/{comparison}_networks.eps, {comparison}_tSNE_networks.eps and {comparison}_network_similarity.eps,
#        each with a PNG file.


rule compare_networks:
    """Compare the scores of the layers of several networks."""
    input:
        summaries=of_compared("results/{dataset}/layers.json"),
        records=of_compared("results/{dataset}/network/network.json"),
    output:
        table="results/{comparison}/networks.csv",
    log:
        "logs/compare_networks/{comparison}.log",
    benchmark:
        "benchmarks/compare_networks/{comparison}.jsonl"
    localrule: True
    conda:
        "../envs/scores.yaml"
    params:
        code=code("compare_networks.py"),
        networks=compared,
    script:
        "../scripts/compare_networks.py"


use rule measure_similarity as measure_network_similarity with:
    input:
        features=of_compared_layers("results/{dataset}/features/{layer}.npy"),
        labels=of_first_compared("results/{dataset}/data/train_labels.npy"),
    output:
        table="results/{comparison}/similarity.csv",
    log:
        "logs/measure_network_similarity/{comparison}.log",
    benchmark:
        "benchmarks/measure_network_similarity/{comparison}.jsonl"
    params:
        code=code("measure_similarity.py"),
        states=compared_layers,


rule plot_networks:
    """Draw the embeddings of the layers of several networks."""
    input:
        table="results/{comparison}/networks.csv",
        maps=of_compared_layers("results/{dataset}/aligned/{layer}.npy"),
        scores=of_compared_layers("results/{dataset}/scores/{layer}.json"),
        labels=of_first_compared("results/{dataset}/data/train_labels.npy"),
        classes=of_first_compared("results/{dataset}/data/classes.json"),
    output:
        eps="results/figures/{comparison}_tSNE_networks.eps",
        png=report(
            "results/figures/{comparison}_tSNE_networks.png", **in_report(COMPARED_IN_REPORT, "networks", "maps")
        ),
    log:
        "logs/plot_networks/{comparison}.log",
    benchmark:
        "benchmarks/plot_networks/{comparison}.jsonl"
    localrule: True
    conda:
        "../envs/figures.yaml"
    params:
        code=code("plot_networks.py"),
        states=compared_layers,
        palette=palette_of_compared,
    script:
        "../scripts/plot_networks.py"


rule plot_network_scores:
    """Draw the scores of the layers of several networks over their relative depth."""
    input:
        table="results/{comparison}/networks.csv",
    output:
        eps="results/figures/{comparison}_networks.eps",
        png=report(
            "results/figures/{comparison}_networks.png", **in_report(COMPARED_IN_REPORT, "network_scores", "scores")
        ),
    log:
        "logs/plot_network_scores/{comparison}.log",
    benchmark:
        "benchmarks/plot_network_scores/{comparison}.jsonl"
    localrule: True
    conda:
        "../envs/figures.yaml"
    params:
        code=code("plot_network_scores.py"),
    script:
        "../scripts/plot_network_scores.py"


rule plot_network_similarity:
    """Draw how similar the layers of several networks represent the images."""
    input:
        table="results/{comparison}/similarity.csv",
    output:
        eps="results/figures/{comparison}_network_similarity.eps",
        png=report(
            "results/figures/{comparison}_network_similarity.png",
            **in_report(COMPARED_IN_REPORT, "network_similarity", "similarity"),
        ),
    log:
        "logs/plot_network_similarity/{comparison}.log",
    benchmark:
        "benchmarks/plot_network_similarity/{comparison}.jsonl"
    localrule: True
    conda:
        "../envs/figures.yaml"
    params:
        code=code("plot_network_similarity.py"),
    script:
        "../scripts/plot_network_similarity.py"


rule summarize_comparison:
    """Summarize a comparison of networks for the report."""
    input:
        table="results/{comparison}/networks.csv",
    output:
        page=report("results/{comparison}/comparison.html", **in_report(COMPARED_IN_REPORT, "comparison", "tables")),
    log:
        "logs/summarize_comparison/{comparison}.log",
    benchmark:
        "benchmarks/summarize_comparison/{comparison}.jsonl"
    localrule: True
    conda:
        "../envs/scores.yaml"
    params:
        code=code("summarize_comparison.py"),
    script:
        "../scripts/summarize_comparison.py"


use rule build_explorer as build_comparison_explorer with:
    input:
        table=of_first_compared("results/{dataset}/maps.csv"),
        classes=of_first_compared("results/{dataset}/data/classes.json"),
        images=images_of_compared,
        texts=[],
        maps=of_compared_layers(*by_split("results/{dataset}/aligned/{layer}{split}.npy")),
        neighbors=of_compared_layers(*by_split("results/{dataset}/neighbors/{layer}{split}.npz")),
    output:
        page="results/{comparison}/explorer.html",
    log:
        "logs/build_comparison_explorer/{comparison}.log",
    benchmark:
        "benchmarks/build_comparison_explorer/{comparison}.jsonl"
    params:
        code=code("build_explorer.py"),
        page=digest(page_files("explorer/explorer.html")),
        name="{comparison}",
        states=compared_maps,
        with_predictions=False,
        palette=palette_of_compared,
