# Needs: results/{dataset}/features/{layer}.npy, {layer}_validation.npy and {layer}_test.npy.
# Makes: results/{dataset}/neighbors/{layer}.npz, the nearest training rows of each training row: indices (n, k) int32,
#        distances (n, k) float32, method and recall; {layer}_validation.npz and {layer}_test.npz, those of held-out rows;
#        {layer}_joint.npz, the nearest of all rows;
#        results/{dataset}/maps/{layer}.npy, the coordinates of the training images in the embedding, (n, 2) float32,
#        {layer}_validation.npy and {layer}_test.npy, those of held-out images, and {layer}.json, how it was made;
#        results/{dataset}/aligned/{layer}.npy, {layer}_validation.npy and {layer}_test.npy, the same, rotated to the
#        embedding of the reference layer. Files of a layer before training have the suffix -epoch0.
# Data sets with landmarks get their neighbors and maps from landmarks.smk.
# A job has one thread: layers side by side keep a machine busier than one after the other, and the result is the same on
# any number of cores.


rule find_neighbors:
    """Find the nearest neighbors of each row, among the training rows and among all rows."""
    input:
        features=by_split("results/{dataset}/features/{layer}{training}{split}.npy"),
    output:
        neighbors=by_split("results/{dataset}/neighbors/{layer}{training}{split}.npz"),
        joint="results/{dataset}/neighbors/{layer}{training}_joint.npz",
    log:
        "logs/find_neighbors/{dataset}/{layer}{training}.log",
    benchmark:
        "benchmarks/find_neighbors/{dataset}/{layer}{training}.jsonl"
    wildcard_constraints:
        dataset=any_of(EMBEDDED_WHOLE),
    conda:
        "../envs/neighbors.yaml"
    resources:
        mem_mb=request(800, per_row=0.004, features=(2.6, config["memory_mb"])),
        block_mb=config["memory_mb"],
        runtime=request(5, features=0.02),
    params:
        code=code("find_neighbors.py"),
        k_train=MAX_VOTERS,
        k_all=of_dataset(datasets.n_neighbors),
        seed=of_dataset(datasets.first_tsne_seed),
    script:
        "../scripts/find_neighbors.py"


rule embed_tsne:
    """Embed the rows in two dimensions."""
    input:
        features=by_split("results/{dataset}/features/{layer}{training}{split}.npy"),
        neighbors="results/{dataset}/neighbors/{layer}{training}_joint.npz",
        reference=reference_map(by_split("results/{dataset}/maps/{layer}{tsne}{split}.npy")),
    output:
        map=by_split("results/{dataset}/maps/{layer}{training}{tsne}{split}.npy"),
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
        mem_mb=request(800, features=(1.2, config["memory_mb"]), neighbors=12),
        runtime=request(5, neighbors=0.1),
    params:
        code=code("embed_tsne.py"),
        tsne=of_dataset(datasets.tsne_parameters),
        seed=tsne_seed,
        reference=of_dataset(datasets.reference_layer),
    script:
        "../scripts/embed_tsne.py"


rule align_map:
    """Rotate an embedding, so that the same images lie in the same part of the page as in that of the reference layer."""
    input:
        map=by_split("results/{dataset}/maps/{layer}{training}{split}.npy"),
        reference=of_reference_layer("results/{dataset}/maps/{layer}.npy"),
        labels="results/{dataset}/data/train_labels.npy",  # to notice an embedding that has lost rows
    output:
        map=by_split("results/{dataset}/aligned/{layer}{training}{split}.npy"),
    log:
        "logs/align_map/{dataset}/{layer}{training}.log",
    benchmark:
        "benchmarks/align_map/{dataset}/{layer}{training}.jsonl"
    localrule: True
    conda:
        "../envs/maps.yaml"
    params:
        code=code("align_map.py"),
    script:
        "../scripts/align_map.py"
