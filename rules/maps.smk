# Needs: results/{dataset}/features/{layer}.npy and {layer}_test.npy.
# Makes: results/{dataset}/neighbors/{layer}.npz, indices (n, k) int32, distances (n, k) float32, method and recall, and
#        {layer}_test.npz, the neighbors of each test image among the training images;
#        results/{dataset}/maps/{layer}.npy, the embedding, (n, 2) float32, {layer}.json, how it was made, and {layer}_test.npy,
#        the coordinates of the test images in it;
#        results/{dataset}/aligned/{layer}.npy and {layer}_test.npy, the same, rotated to the embedding of the pixels.
# Data sets with landmarks get their neighbors and maps from landmarks.smk.
# A job has one thread: layers side by side keep a machine busier than one after the other, and the result is the same on
# any number of cores.


rule find_neighbors:
    """Find the nearest neighbors of each row."""
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
        dataset=any_of(EMBEDDED_WHOLE),
    conda:
        "../envs/neighbors.yaml"
    resources:
        mem_mb=request(800, config["memory_mb"], features=2.6),
        block_mb=config["memory_mb"],
        runtime=request(5, features=0.02, test_features=0.02),
    params:
        code=code("find_neighbors.py"),
        k=of_dataset(datasets.n_neighbors),
        seed=of_dataset(datasets.first_tsne_seed),
    script:
        "../scripts/find_neighbors.py"


rule embed_tsne:
    """Embed the rows in two dimensions."""
    input:
        features="results/{dataset}/features/{layer}{training}.npy",
        neighbors="results/{dataset}/neighbors/{layer}{training}.npz",
    output:
        map="results/{dataset}/maps/{layer}{training}{tsne}.npy",
        record="results/{dataset}/maps/{layer}{training}{tsne}.json",
    log:
        "logs/embed_tsne/{dataset}/{layer}{training}{tsne}.log",
    benchmark:
        "benchmarks/embed_tsne/{dataset}/{layer}{training}{tsne}.jsonl"
    wildcard_constraints:
        dataset=any_of(EMBEDDED_WHOLE),
    conda:
        TSNE_ENV
    resources:
        gpu=int(GPU_FOR_TSNE),
        mem_mb=request(800, config["memory_mb"], features=1.2, neighbors=12),
        runtime=request(5, neighbors=0.1),
    params:
        code=code("embed_tsne.py"),
        tsne=of_dataset(datasets.tsne_parameters),
        seed=tsne_seed,
    script:
        "../scripts/embed_tsne.py"


rule transform_images:
    """Place the test images in the embedding of the training images."""
    input:
        map="results/{dataset}/maps/{layer}{training}{tsne}.npy",
        neighbors="results/{dataset}/neighbors/{layer}{training}.npz",
        test_neighbors="results/{dataset}/neighbors/{layer}{training}_test.npz",
        test_labels="results/{dataset}/data/test_labels.npy",
    output:
        map="results/{dataset}/maps/{layer}{training}{tsne}_test.npy",
    log:
        "logs/transform_images/{dataset}/{layer}{training}{tsne}.log",
    benchmark:
        "benchmarks/transform_images/{dataset}/{layer}{training}{tsne}.jsonl"
    wildcard_constraints:
        dataset=any_of(EMBEDDED_WHOLE),
    conda:
        "../envs/maps.yaml"
    resources:
        mem_mb=request(700, neighbors=4),
        runtime=request(5, neighbors=0.1),
    params:
        code=code("transform_images.py"),
    script:
        "../scripts/transform_images.py"


rule align_map:
    """Rotate an embedding, so that the same images lie in the same part of the page as in that of the pixels."""
    input:
        coordinates="results/{dataset}/maps/{layer}{part}.npy",
        map="results/{dataset}/maps/{layer}.npy",
        reference=of_reference_layer("results/{dataset}/maps/{layer}.npy"),
        labels="results/{dataset}/data/train_labels.npy",  # to notice an embedding that has lost rows
    output:
        coordinates="results/{dataset}/aligned/{layer}{part}.npy",
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
        code=code("align_map.py"),
    script:
        "../scripts/align_map.py"
