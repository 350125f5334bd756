# Needs: results/{dataset}/features/{layer}.npy.
# Makes: results/{dataset}/neighbors/{layer}.npz, indices (n, k) int32, distances (n, k) float32, method and recall;
#        results/{dataset}/maps/{layer}.npy, (n, 2) float32, and {layer}.json, how it was made.
# One thread a job: the layers side by side keep a machine busier than one after the other, and with one thread the result
# is the same on any number of cores.


rule find_neighbors:
    """Find each row's nearest neighbors."""
    input:
        features="results/{dataset}/features/{layer}.npy",
    output:
        neighbors="results/{dataset}/neighbors/{layer}.npz",
    log:
        "logs/find_neighbors/{dataset}/{layer}.log",
    benchmark:
        "benchmarks/find_neighbors/{dataset}/{layer}.jsonl"
    conda:
        "../envs/neighbors.yaml"
    resources:
        mem_mb=by_size(800, features=2.6),
        runtime=by_size(5, features=0.02),
    params:
        helpers=helpers("arrays", "components", "files", "jobs"),
        k=int(3 * config["tsne"]["perplexity"]),
        seed=config["tsne"]["seed"],
    script:
        "../scripts/find_neighbors.py"


rule embed_tsne:
    """Lay the rows out in two dimensions."""
    input:
        features="results/{dataset}/features/{layer}.npy",
        neighbors="results/{dataset}/neighbors/{layer}.npz",
    output:
        map="results/{dataset}/maps/{layer}.npy",
        facts="results/{dataset}/maps/{layer}.json",
    log:
        "logs/embed_tsne/{dataset}/{layer}.log",
    benchmark:
        "benchmarks/embed_tsne/{dataset}/{layer}.jsonl"
    conda:
        "../envs/maps-gpu.yaml" if GPU_FOR_MAPS else "../envs/maps.yaml"
    resources:
        gpu=int(GPU_FOR_MAPS),
        mem_mb=by_size(800, features=1.2, neighbors=12),
        runtime=by_size(5, neighbors=0.4),
    params:
        helpers=helpers("arrays", "components", "files", "jobs", "tsnecuda_process"),
        tsne=config["tsne"],
    script:
        "../scripts/embed_tsne.py"
