# Needs: results/{dataset}/features/{layer}.npy and {layer}_test.npy, of data sets that have tsne.landmarks.
# Makes: results/{dataset}/landmarks/{layer}/rows.npy, (N,) int64, the rows that t-SNE lays out, features.npy, (N, d) float32,
#        neighbors.npz and test_neighbors.npz, which number the landmarks, and map.npy and map.json, as those of maps.smk;
#        and in their place, of all rows: results/{dataset}/neighbors/{layer}.npz and {layer}_test.npz, the nearest landmarks, by
#        their rows, and maps/{layer}.npy, {layer}.json and {layer}_test.npy.


scattergather:
    rows=16,


rule choose_landmarks:
    """Choose the rows that t-SNE lays out."""
    input:
        features="results/{dataset}/features/{layer}{training}.npy",
    output:
        rows="results/{dataset}/landmarks/{layer}{training}/rows.npy",
        features="results/{dataset}/landmarks/{layer}{training}/features.npy",
    log:
        "logs/choose_landmarks/{dataset}/{layer}{training}.log",
    benchmark:
        "benchmarks/choose_landmarks/{dataset}/{layer}{training}.jsonl"
    wildcard_constraints:
        dataset=one_of(LANDMARKED),
    conda:
        "../envs/neighbors.yaml"
    resources:
        mem_mb=by_size(800, most=config["memory"], features=2.6),
        runtime=by_size(5, features=0.02),
    params:
        helpers=helpers("arrays", "components", "files", "jobs", "pieces", "searches"),
        landmarks=setting("tsne", "landmarks"),
        seed=lambda wildcards: tsnes(wildcards.dataset)[""],
    script:
        "../scripts/choose_landmarks.py"


use rule find_neighbors as find_landmark_neighbors with:
    input:
        features="results/{dataset}/landmarks/{layer}{training}/features.npy",
        test_features="results/{dataset}/features/{layer}{training}_test.npy",
    output:
        neighbors="results/{dataset}/landmarks/{layer}{training}/neighbors.npz",
        test_neighbors="results/{dataset}/landmarks/{layer}{training}/test_neighbors.npz",
    log:
        "logs/find_landmark_neighbors/{dataset}/{layer}{training}.log",
    benchmark:
        "benchmarks/find_landmark_neighbors/{dataset}/{layer}{training}.jsonl"
    wildcard_constraints:
        dataset=one_of(LANDMARKED),


use rule embed_tsne as embed_landmarks with:
    input:
        features="results/{dataset}/landmarks/{layer}{training}/features.npy",
        neighbors="results/{dataset}/landmarks/{layer}{training}/neighbors.npz",
    output:
        map="results/{dataset}/landmarks/{layer}{training}/map{tsne}.npy",
        facts="results/{dataset}/landmarks/{layer}{training}/map{tsne}.json",
    log:
        "logs/embed_landmarks/{dataset}/{layer}{training}{tsne}.log",
    benchmark:
        "benchmarks/embed_landmarks/{dataset}/{layer}{training}{tsne}.jsonl"
    wildcard_constraints:
        dataset=one_of(LANDMARKED),


rule find_nearest_landmarks:
    """Find the nearest landmarks of some of the rows."""
    input:
        features="results/{dataset}/features/{layer}{training}.npy",
        landmarks="results/{dataset}/landmarks/{layer}{training}/rows.npy",
        landmark_features="results/{dataset}/landmarks/{layer}{training}/features.npy",
    output:
        neighbors=temp("results/{dataset}/landmarks/{layer}{training}/neighbors-{scatteritem}.npz"),
    log:
        "logs/find_nearest_landmarks/{dataset}/{layer}{training}-{scatteritem}.log",
    benchmark:
        "benchmarks/find_nearest_landmarks/{dataset}/{layer}{training}-{scatteritem}.jsonl"
    wildcard_constraints:
        dataset=one_of(LANDMARKED),
    conda:
        "../envs/neighbors.yaml"
    resources:
        mem_mb=by_size(800, most=config["memory"], landmark_features=2.6, features=0.2),
        block_mb=config["memory"],
        runtime=by_size(5, landmark_features=0.02, features=0.005),
    params:
        helpers=helpers("arrays", "files", "jobs", "pieces", "searches"),
        k=neighbors,
        seed=lambda wildcards: tsnes(wildcards.dataset)[""],
    script:
        "../scripts/find_nearest_landmarks.py"


rule gather_neighbors:
    """Put the nearest landmarks of all rows together, and call them by their rows."""
    input:
        landmarks="results/{dataset}/landmarks/{layer}{training}/rows.npy",
        parts=gather.rows("results/{{dataset}}/landmarks/{{layer}}{{training}}/neighbors-{scatteritem}.npz"),
        test_neighbors="results/{dataset}/landmarks/{layer}{training}/test_neighbors.npz",
    output:
        neighbors="results/{dataset}/neighbors/{layer}{training}.npz",
        test_neighbors="results/{dataset}/neighbors/{layer}{training}_test.npz",
    log:
        "logs/gather_neighbors/{dataset}/{layer}{training}.log",
    benchmark:
        "benchmarks/gather_neighbors/{dataset}/{layer}{training}.jsonl"
    wildcard_constraints:
        dataset=one_of(LANDMARKED),
    conda:
        "../envs/neighbors.yaml"
    resources:
        mem_mb=by_size(500, parts=3),
        runtime=by_size(5, parts=0.01),
    params:
        helpers=helpers("arrays", "files", "jobs"),
        # the parts are gone by the time that their script is edited
        of_parts=[digest("find_nearest_landmarks.py"), helpers("arrays", "files", "jobs", "pieces", "searches")],
    script:
        "../scripts/gather_neighbors.py"


rule place_rows:
    """Find the places of some of the rows in the landmarks' map."""
    input:
        map="results/{dataset}/landmarks/{layer}{training}/map{tsne}.npy",
        landmarks="results/{dataset}/landmarks/{layer}{training}/rows.npy",
        landmark_neighbors="results/{dataset}/landmarks/{layer}{training}/neighbors.npz",
        neighbors="results/{dataset}/neighbors/{layer}{training}.npz",
        labels="results/{dataset}/data/train_labels.npy",  # a row each
    output:
        map=temp("results/{dataset}/landmarks/{layer}{training}/map{tsne}-{scatteritem}.npy"),
    log:
        "logs/place_rows/{dataset}/{layer}{training}{tsne}-{scatteritem}.log",
    benchmark:
        "benchmarks/place_rows/{dataset}/{layer}{training}{tsne}-{scatteritem}.jsonl"
    wildcard_constraints:
        dataset=one_of(LANDMARKED),
    conda:
        "../envs/maps.yaml"
    resources:
        mem_mb=by_size(700, landmark_neighbors=4, neighbors=1.2),
        runtime=by_size(5, landmark_neighbors=0.1, neighbors=0.02),
    params:
        helpers=helpers("arrays", "files", "jobs", "pieces", "placing"),
    script:
        "../scripts/place_rows.py"


rule gather_map:
    """Put the places of all rows together, and say how the map was made."""
    input:
        parts=gather.rows("results/{{dataset}}/landmarks/{{layer}}{{training}}/map{{tsne}}-{scatteritem}.npy"),
        facts="results/{dataset}/landmarks/{layer}{training}/map{tsne}.json",
    output:
        map="results/{dataset}/maps/{layer}{training}{tsne}.npy",
        facts="results/{dataset}/maps/{layer}{training}{tsne}.json",
    log:
        "logs/gather_map/{dataset}/{layer}{training}{tsne}.log",
    benchmark:
        "benchmarks/gather_map/{dataset}/{layer}{training}{tsne}.jsonl"
    wildcard_constraints:
        dataset=one_of(LANDMARKED),
    localrule: True
    conda:
        "../envs/maps.yaml"
    params:
        helpers=helpers("arrays", "files", "jobs"),
        of_parts=[digest("place_rows.py"), helpers("arrays", "files", "jobs", "pieces", "placing")],
    script:
        "../scripts/gather_map.py"


use rule place_images as place_images_by_landmarks with:
    input:
        map="results/{dataset}/landmarks/{layer}{training}/map{tsne}.npy",
        neighbors="results/{dataset}/landmarks/{layer}{training}/neighbors.npz",
        test_neighbors="results/{dataset}/landmarks/{layer}{training}/test_neighbors.npz",
        test_labels="results/{dataset}/data/test_labels.npy",
    output:
        map="results/{dataset}/maps/{layer}{training}{tsne}_test.npy",
    log:
        "logs/place_images_by_landmarks/{dataset}/{layer}{training}{tsne}.log",
    benchmark:
        "benchmarks/place_images_by_landmarks/{dataset}/{layer}{training}{tsne}.jsonl"
    wildcard_constraints:
        dataset=one_of(LANDMARKED),
