# For data sets with tsne.landmarks: t-SNE embeds the landmarks only, and all other rows are placed in their embedding.
# Needs: results/{dataset}/features/{layer}.npy, {layer}_validation.npy and {layer}_test.npy.
# Makes: results/{dataset}/landmarks/{layer}/: rows.npy, (N,) int64, the rows that are landmarks, features.npy, (N, d) float32,
#        neighbors.npz, validation_neighbors.npz and test_neighbors.npz, in which indices number the landmarks, map.npy and
#        map.json; in place of the rules in maps.smk: results/{dataset}/neighbors/{layer}.npz, {layer}_validation.npz and
#        {layer}_test.npz, the nearest landmarks by row, and results/{dataset}/maps/{layer}.npy, {layer}_validation.npy,
#        {layer}_test.npy and {layer}.json.

LANDMARKS = "results/{dataset}/landmarks/{layer}{training}"
LANDMARK_MAP = f"{LANDMARKS}/map{{tsne}}.npy"
JOB = "{dataset}/{layer}{training}"  # in the names of logs and benchmarks
LANDMARKED_ONLY = any_of(LANDMARKED)
TSNE_JOB = f"{JOB}{{tsne}}"


scattergather:
    rows=16,


rule choose_landmarks:
    """Choose the rows that t-SNE embeds."""
    input:
        features="results/{dataset}/features/{layer}{training}.npy",
    output:
        rows=f"{LANDMARKS}/rows.npy",
        features=f"{LANDMARKS}/features.npy",
    log:
        f"logs/choose_landmarks/{JOB}.log",
    benchmark:
        f"benchmarks/choose_landmarks/{JOB}.jsonl"
    wildcard_constraints:
        dataset=LANDMARKED_ONLY,
    conda:
        "../envs/neighbors.yaml"
    resources:
        mem_mb=request(800, per_row=0.0003, features=(2.6, config["memory_mb"])),
        runtime=request(5, features=0.02),
    params:
        code=code("choose_landmarks.py"),
        landmarks=setting("tsne/landmarks"),
        seed=of_dataset(datasets.first_tsne_seed),
    script:
        "../scripts/choose_landmarks.py"


rule find_landmark_neighbors:
    """Find the nearest landmarks of each landmark, and of each held-out image."""
    input:
        features=rules.choose_landmarks.output.features,
        held_out_features=by_split("results/{dataset}/features/{layer}{training}{split}.npy")[1:],
    output:
        neighbors=f"{LANDMARKS}/neighbors.npz",
        held_out=[f"{LANDMARKS}/{split}_neighbors.npz" for split in SPLITS[1:]],
    log:
        f"logs/find_landmark_neighbors/{JOB}.log",
    benchmark:
        f"benchmarks/find_landmark_neighbors/{JOB}.jsonl"
    wildcard_constraints:
        dataset=LANDMARKED_ONLY,
    conda:
        "../envs/neighbors.yaml"
    resources:
        mem_mb=request(800, features=(2.6, config["memory_mb"])),
        block_mb=config["memory_mb"],
        runtime=request(5, features=0.02, held_out_features=0.02),
    params:
        code=code("find_landmark_neighbors.py"),
        k=of_dataset(datasets.n_neighbors),
        seed=of_dataset(datasets.first_tsne_seed),
    script:
        "../scripts/find_landmark_neighbors.py"


use rule embed_tsne as embed_landmarks with:
    input:
        features=[rules.choose_landmarks.output.features],
        neighbors=rules.find_landmark_neighbors.output.neighbors,
        reference=reference_map(["results/{dataset}/maps/{layer}{tsne}.npy"]),
        rows=rules.choose_landmarks.output.rows,
    output:
        map=[LANDMARK_MAP],
        record=f"{LANDMARKS}/map{{tsne}}.json",
    log:
        f"logs/embed_landmarks/{TSNE_JOB}.log",
    benchmark:
        f"benchmarks/embed_landmarks/{TSNE_JOB}.jsonl"
    wildcard_constraints:
        dataset=LANDMARKED_ONLY,


rule find_nearest_landmarks:
    """Find the nearest landmarks of a chunk of the rows."""
    input:
        features="results/{dataset}/features/{layer}{training}.npy",
        landmarks=rules.choose_landmarks.output.rows,
        landmark_features=rules.choose_landmarks.output.features,
    output:
        neighbors=temp(f"{LANDMARKS}/neighbors-{{scatteritem}}.npz"),
    log:
        f"logs/find_nearest_landmarks/{JOB}-{{scatteritem}}.log",
    benchmark:
        f"benchmarks/find_nearest_landmarks/{JOB}-{{scatteritem}}.jsonl"
    wildcard_constraints:
        dataset=LANDMARKED_ONLY,
    conda:
        "../envs/neighbors.yaml"
    resources:
        mem_mb=request(800, landmark_features=(2.6, config["memory_mb"]), features=(0.2, config["memory_mb"])),
        block_mb=config["memory_mb"],
        runtime=request(5, landmark_features=0.02, features=0.005),
    params:
        code=code("find_nearest_landmarks.py"),
        k=of_dataset(datasets.n_neighbors),
        seed=of_dataset(datasets.first_tsne_seed),
    script:
        "../scripts/find_nearest_landmarks.py"


rule gather_neighbors:
    """Concatenate the nearest landmarks of all rows, and number them by row."""
    input:
        landmarks=rules.choose_landmarks.output.rows,
        parts=gather.rows("results/{{dataset}}/landmarks/{{layer}}{{training}}/neighbors-{scatteritem}.npz"),
        held_out=rules.find_landmark_neighbors.output.held_out,
    output:
        neighbors=by_split("results/{dataset}/neighbors/{layer}{training}{split}.npz"),
    log:
        f"logs/gather_neighbors/{JOB}.log",
    benchmark:
        f"benchmarks/gather_neighbors/{JOB}.jsonl"
    wildcard_constraints:
        dataset=LANDMARKED_ONLY,
    conda:
        "../envs/neighbors.yaml"
    resources:
        mem_mb=request(500, parts=3),
        runtime=request(5, parts=0.01),
    params:
        code=code("gather_neighbors.py", "find_nearest_landmarks.py"),  # whose output is gone when it is edited
    script:
        "../scripts/gather_neighbors.py"


rule transform_rows:
    """Place a chunk of the rows in the landmarks' embedding."""
    input:
        map=LANDMARK_MAP,
        landmarks=rules.choose_landmarks.output.rows,
        landmark_neighbors=rules.find_landmark_neighbors.output.neighbors,
        neighbors="results/{dataset}/neighbors/{layer}{training}.npz",
        labels="results/{dataset}/data/train_labels.npy",  # one for each row
    output:
        map=temp(f"{LANDMARKS}/map{{tsne}}-{{scatteritem}}.npy"),
    log:
        f"logs/transform_rows/{TSNE_JOB}-{{scatteritem}}.log",
    benchmark:
        f"benchmarks/transform_rows/{TSNE_JOB}-{{scatteritem}}.jsonl"
    wildcard_constraints:
        dataset=LANDMARKED_ONLY,
    conda:
        "../envs/maps.yaml"
    resources:
        mem_mb=request(700, landmark_neighbors=4, neighbors=1.2),
        runtime=request(5, landmark_neighbors=0.1, neighbors=0.02),
    params:
        code=code("transform_rows.py"),
    script:
        "../scripts/transform_rows.py"


rule gather_map:
    """Concatenate the coordinates of all rows, and record how the embedding was made."""
    input:
        parts=gather.rows("results/{{dataset}}/landmarks/{{layer}}{{training}}/map{{tsne}}-{scatteritem}.npy"),
        record=rules.embed_landmarks.output.record,
    output:
        map="results/{dataset}/maps/{layer}{training}{tsne}.npy",
        record="results/{dataset}/maps/{layer}{training}{tsne}.json",
    log:
        f"logs/gather_map/{TSNE_JOB}.log",
    benchmark:
        f"benchmarks/gather_map/{TSNE_JOB}.jsonl"
    wildcard_constraints:
        dataset=LANDMARKED_ONLY,
    localrule: True
    conda:
        "../envs/maps.yaml"
    params:
        code=code("gather_map.py", "transform_rows.py"),
    script:
        "../scripts/gather_map.py"


rule transform_images:
    """Place the held-out images in the landmarks' embedding."""
    input:
        map=LANDMARK_MAP,
        landmark_neighbors=rules.find_landmark_neighbors.output.neighbors,
        neighbors=rules.find_landmark_neighbors.output.held_out,
        labels=images_by_split("labels")[1:],
    output:
        map=by_split("results/{dataset}/maps/{layer}{training}{tsne}{split}.npy")[1:],
    log:
        f"logs/transform_images/{TSNE_JOB}.log",
    benchmark:
        f"benchmarks/transform_images/{TSNE_JOB}.jsonl"
    wildcard_constraints:
        dataset=LANDMARKED_ONLY,
    conda:
        "../envs/maps.yaml"
    resources:
        mem_mb=request(700, landmark_neighbors=4),
        runtime=request(5, landmark_neighbors=0.1),
    params:
        code=code("transform_images.py"),
    script:
        "../scripts/transform_images.py"
