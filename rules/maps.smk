# Needs: results/{dataset}/features/{layer}.npy and {layer}_test.npy.
# Makes: results/{dataset}/neighbors/{layer}.npz, indices (n, k) int32, distances (n, k) float32, method and recall, and
#        {layer}_test.npz, the neighbors of each test image among the training images;
#        results/{dataset}/maps/{layer}.npy, (n, 2) float32, and {layer}.json, how it was made, and {layer}_test.npy, the
#        test images' places in it;
#        results/{dataset}/aligned/{layer}.npy and {layer}_test.npy, the same, turned to the map of the pixels.
# Of data sets with landmarks, neighbors and maps are those of landmarks.smk.
# One thread a job: the layers side by side keep a machine busier than one after the other, and with one thread the result
# is the same on any number of cores.


rule find_neighbors:
    """Find each row's nearest neighbors."""
    input:
        features="results/{dataset}/features/{layer}{training}.npy",
        test_features="results/{dataset}/features/{layer}{training}_test.npy",
    output:
        neighbors="results/{dataset}/neighbors/{layer}{training}.npz",
        test_neighbors="results/{dataset}/neighbors/{layer}{training}_test.npz",
    log:
        "logs/find_neighbors/{dataset}/{layer}{training}.log",
    benchmark:
        "benchmarks/find_neighbors/{dataset}/{layer}{training}.jsonl"
    wildcard_constraints:
        dataset=one_of(WHOLE),
    conda:
        "../envs/neighbors.yaml"
    resources:
        mem_mb=by_size(800, most=config["memory"], features=2.6),
        block_mb=config["memory"],
        runtime=by_size(5, features=0.02, test_features=0.02),
    params:
        helpers=helpers("arrays", "files", "jobs", "searches"),
        k=neighbors,
        seed=lambda wildcards: tsnes(wildcards.dataset)[""],
    script:
        "../scripts/find_neighbors.py"


rule embed_tsne:
    """Lay the rows out in two dimensions."""
    input:
        features="results/{dataset}/features/{layer}{training}.npy",
        neighbors="results/{dataset}/neighbors/{layer}{training}.npz",
    output:
        map="results/{dataset}/maps/{layer}{training}{tsne}.npy",
        facts="results/{dataset}/maps/{layer}{training}{tsne}.json",
    log:
        "logs/embed_tsne/{dataset}/{layer}{training}{tsne}.log",
    benchmark:
        "benchmarks/embed_tsne/{dataset}/{layer}{training}{tsne}.jsonl"
    wildcard_constraints:
        dataset=one_of(WHOLE),
    conda:
        "../envs/maps-gpu.yaml" if GPU_FOR_MAPS else "../envs/maps.yaml"
    resources:
        gpu=int(GPU_FOR_MAPS),
        mem_mb=by_size(800, most=config["memory"], features=1.2, neighbors=12),
        runtime=by_size(5, neighbors=0.1),
    params:
        helpers=helpers(
            "affinities",
            "arrays",
            "components",
            "files",
            "jobs",
            "pieces",
            "provenance",
            "tsne_descent",
            "tsnecuda_process",
        ),
        tsne=tsne_parameters,
        seed=lambda wildcards: tsnes(wildcards.dataset)[wildcards.tsne],
    script:
        "../scripts/embed_tsne.py"


rule place_images:
    """Find each test image's place in a map of the training images."""
    input:
        map="results/{dataset}/maps/{layer}{training}{tsne}.npy",
        neighbors="results/{dataset}/neighbors/{layer}{training}.npz",
        test_neighbors="results/{dataset}/neighbors/{layer}{training}_test.npz",
        test_labels="results/{dataset}/data/test_labels.npy",
    output:
        map="results/{dataset}/maps/{layer}{training}{tsne}_test.npy",
    log:
        "logs/place_images/{dataset}/{layer}{training}{tsne}.log",
    benchmark:
        "benchmarks/place_images/{dataset}/{layer}{training}{tsne}.jsonl"
    wildcard_constraints:
        dataset=one_of(WHOLE),
    conda:
        "../envs/maps.yaml"
    resources:
        mem_mb=by_size(700, neighbors=4),
        runtime=by_size(5, neighbors=0.1),
    params:
        helpers=helpers("arrays", "files", "jobs", "placing"),
    script:
        "../scripts/place_images.py"


rule align_map:
    """Turn a map, so that the same images lie in the same part of the page as in that of the pixels."""
    input:
        places="results/{dataset}/maps/{layer}{part}.npy",
        map="results/{dataset}/maps/{layer}.npy",
        reference=lambda wildcards: f"results/{wildcards.dataset}/maps/{reference(wildcards.dataset)}.npy",
        labels="results/{dataset}/data/train_labels.npy",  # which tell a map that has lost rows from the other
    output:
        places="results/{dataset}/aligned/{layer}{part}.npy",
    log:
        "logs/align_map/{dataset}/{layer}{part}.log",
    benchmark:
        "benchmarks/align_map/{dataset}/{layer}{part}.jsonl"
    wildcard_constraints:
        part="(|_test)",
    localrule: True
    conda:
        "../envs/maps.yaml"
    params:
        helpers=helpers("arrays", "files", "jobs"),
    script:
        "../scripts/align_map.py"
