"""The methods section of a run, sentence by sentence."""

import json

from write_methods import (
    describe_controls,
    describe_data,
    describe_layers,
    describe_neighbors,
    describe_network,
    describe_scores,
    describe_starts,
    describe_tsne,
    describe_versions,
    write_methods,
)

from helpers import LAYERS

DATA = {"classes": 10, "sample": None, "hold_out": None, "kind": "npz", "trained": True, "noun": "image"}
ROWS = {"train": 1200, "validation": 100, "test": 1}


def test_data_are_counted():
    held_out = " What the source has no images for was held out from its training images, a sixth of each class."
    counts = "The data set Mine has 1,200 training images, 100 validation images and 1 test image of 10 classes"
    shape = ", each of 28 x 30 pixels and 1 channel."
    assert describe_data("Mine", DATA, ROWS, (28, 30, 1)) == f"{counts}{shape}{held_out}"
    for other in ({"kind": "pickle"}, {"trained": False}):
        assert describe_data("Mine", DATA | other, ROWS, (28, 30, 1)) == f"{counts}{shape}"
    share = held_out.replace("a sixth", "17.5 %")
    imported = DATA | {"trained": False, "hold_out": 0.175}
    assert describe_data("Mine", imported, ROWS, (28, 30, 1)) == f"{counts}{shape}{share}"
    alone = {"train": 1200, "validation": 0, "test": 0}
    text = "The data set Mine has 1,200 training images of 1 class, each of 8 x 8 pixels and 3 channels."
    assert describe_data("Mine", DATA | {"classes": 1}, alone, (8, 8, 3)) == text


def test_sample_and_vectors_are_described():
    vectors = {"classes": 0, "sample": 5000, "hold_out": None, "kind": "vectors", "trained": False, "noun": "row"}
    text = describe_data("Mine", vectors, {"train": 5000, "validation": 0, "test": 0}, ())
    assert text == (
        "The data set Mine has 5,000 training rows without labels. Of the source's training rows at most 5,000 were "
        "used, drawn at random. Its vectors were computed outside of the workflow."
    )
    text = describe_data("Mine", DATA | {"sample": 1200, "kind": "pickle"}, ROWS, (8, 8, 1))
    assert text.endswith("training images at most 1,200 were used, drawn at random, each class with its share.")


TRAINED = {
    "parameters": 7,
    "seed": 1,
    "schedule": [{"epochs": 1, "batch_size": 2, "passes": 1}],
    "learning_rate": 0.01,
    "shuffled_labels": False,
}


def test_imported_model_is_described_by_its_input():
    imported = {"parameters": 650, "input": [224, 230, 3], "scaling": "tf"}
    assert describe_network({"model": "keras.applications.MobileNetV2"}, [imported]) == (
        "We used the network keras.applications.MobileNetV2 (650 parameters) as it is, without training. It was given "
        "the images at 224 x 230 pixels and 3 channels, with values from -1 to 1."
    )
    text = describe_network({"model": "there/own.keras"}, [imported | {"input": [8, 8, 1], "scaling": "unit"}])
    assert "the network own.keras (650" in text and text.endswith("1 channel, with values from 0 to 1.")


CONTROL = {"seed": 7, "normalized_layers": 3, "images": 5000}


def test_control_is_described_by_its_weights_and_averages():
    assert describe_controls([CONTROL, CONTROL], ["conv1"], is_trained=True) == (
        "As a control, the layers of the network were also mapped and scored before training, with its initial "
        "weights; the averages of batch normalization were set, layer by layer, to those of 5,000 training images. "
        "What a layer has learned is the difference from this control (Saxe et al. 2011)."
    )
    text = describe_controls([CONTROL | {"normalized_layers": 0}], ["conv1"], is_trained=False)
    assert "with new weights (seed 7). What" in text and "batch" not in text
    assert describe_controls([], [], is_trained=True) == ""


def test_control_of_vectors_is_described_by_its_layers():
    text = describe_controls([], ["a", "b"], is_trained=False)
    assert text.startswith("As a control, the vectors a and the vectors b were also mapped and scored before training.")


def test_trained_network_is_described_by_its_training():
    assert describe_network({"model": "there/own.py"}, [TRAINED, TRAINED | {"seed": 2}]) == (
        "We trained the network that own.py builds (7 parameters), 2 times, with seeds 1 and 2, on cross-entropy with "
        "Adam (learning rate 0.01), for 1 epoch with batches of 2."
    )
    settings = {"model": "notebook", "filters": [8], "kernel": 3, "units": []}
    schedule = [{"epochs": 5, "batch_size": 64, "passes": 1}, {"epochs": 7, "batch_size": 16, "passes": 3}]
    text = describe_network(settings, [TRAINED | {"parameters": 1, "schedule": schedule}])
    assert "We trained a convolutional network of 1 convolutional layer (8 filters" in text
    assert "shuffled" not in text
    shuffled = describe_network(settings, [TRAINED | {"schedule": schedule, "shuffled_labels": True}])
    assert shuffled.endswith(" Its labels were shuffled among the training images.")
    assert "(1 parameter), with seed 1, on" in text
    assert text.endswith("for 5 epochs with batches of 64 and 7 epochs of 3 passes each with batches of 16.")
    assert describe_network({"model": "notebook"}, []) == ""


def test_layers_are_listed():
    layers = [{"name": "pixel", "layer": "pixel", "pool": None}, {"name": "c", "layer": "enc/c", "pool": "average"}]
    dense = {"name": "d", "layer": "dense", "pool": None}
    text = "the output of enc/c (averaged over height and width) and the output of dense"
    assert describe_layers([*layers[1:], dense], False) == text
    assert describe_layers([*layers, dense], False) == (
        "the pixels, the output of enc/c (averaged over height and width) and the output of dense"
    )
    assert describe_layers([{"name": "a"}, {"name": "b"}], True) == "the vectors a and the vectors b"


def test_neighbor_search_is_described_with_its_lowest_recall():
    exact = {"neighbors": {"method": "exact", "k": 90}, "backend": "openTSNE"}
    text = "For each row we found the 90 nearest neighbors by Euclidean distance, by exhaustive search."
    assert describe_neighbors([exact, exact]) == text
    projected = [
        {"neighbors": {"method": "projected", "recall": recall, "k": 90}, "backend": "openTSNE"}
        for recall in (0.99959, 1.0)
    ]
    text = describe_neighbors([*projected])
    assert text.endswith("Recall, measured on a random sample, was at least 0.9995.") and "Jégou et al. 2011" in text
    text = describe_neighbors([projected[0] | {"backend": "tsnecuda", "landmarks": 50}])
    assert "the 90 nearest landmarks" in text
    assert text.endswith("For its embeddings, tsnecuda found the neighbors itself.")


TSNE = {
    "backend": "tsnecuda",
    "version": "3.0.2",
    "perplexity": 30,
    "start": {
        "from": "principal components",
        "components": 2,
        "of_rows": 1000,
        "standard_deviation": 1e-4,
        "jitter": 1e-6,
    },
    "images": 1000,
    "phases": [
        {"iterations": 250, "exaggeration": 12, "learning_rate": 10, "momentum": 0.8},
        {"iterations": 1, "exaggeration": 1, "learning_rate": 1234.6, "momentum": 0.95},
    ],
    "kl_divergence": 1.234,
}


def test_embeddings_are_described():
    assert describe_tsne([TSNE], [1]) == (
        "We embedded the rows in two dimensions with t-SNE (van der Maaten and Hinton 2008; tsnecuda 3.0.2, Chan et "
        "al. 2019). Perplexity was 30. The embedding started from the first 2 principal components (of 1,000 rows), "
        "scaled to a standard deviation of 0.0001, with Gaussian noise of 1e-06. It took 250 iterations with "
        "exaggeration 12, learning rate 10 and momentum 0.8; then 1 iteration with learning rate 1,235 and momentum "
        "0.95. The seed was 1."
    )


def test_held_out_images_are_counted_where_they_are_embedded():
    text = describe_tsne([TSNE | {"images": 1200, "held_out_images": 1034}], [1])
    assert text.startswith("We embedded the 1,200 training and the 1,034 held-out images together in two dimensions")
    assert "We embedded the rows in" in describe_tsne([TSNE | {"held_out_images": 0}], [1])


def test_start_from_the_reference_is_described_with_its_own_start():
    scale = {"standard_deviation": 1e-4, "jitter": 1e-6}
    from_conv2 = TSNE | {"start": {"from": "embedding of conv2"} | scale}
    for maps in ([TSNE, from_conv2, from_conv2], [from_conv2, TSNE]):
        assert describe_starts(maps) == (
            "The embedding of conv2 started from the first 2 principal components (of 1,000 rows), those of the other "
            "layers from this one, so that they can be compared; starts were scaled to a standard deviation of 0.0001, "
            "with Gaussian noise of 1e-06."
        )
    one = TSNE | {"start": TSNE["start"] | {"components": 1, "of_rows": 1}}
    assert "the first 1 principal component (of 1 row), those" in describe_starts([one, from_conv2])


def test_embeddings_of_several_backends_seeds_and_sizes_are_described_together():
    wide = TSNE | {"backend": "openTSNE", "version": "1.0.4", "repulsion": "grid", "kl_divergence": 2}
    wide["start"] = TSNE["start"] | {"of_rows": 5}
    text = describe_tsne([TSNE, wide], [1, 2])
    assert "(of 5 to 1,000 rows)" in text and "; on the CPU, the repulsion was interpolated on a grid (after" in text
    assert "openTSNE 1.0.4 and tsnecuda 3.0.2, Poličar et al. 2024 and Chan et al. 2019" in text
    assert "Seeds were 1 and 2." in text and text.endswith("momentum 0.95. Seeds were 1 and 2.")
    text = describe_tsne([wide | {"repulsion": "all pairs", "landmarks": 5000, "images": 60_000}], [1])
    assert "the repulsion was summed over all pairs" in text
    assert "5,000 of the 60,000 rows were embedded so, chosen to be as dense as all." in text


def test_scores_are_those_that_the_data_allow():
    text = describe_scores(5, 10, True)
    assert text.startswith("The 5 held-out images were placed into each embedding by openTSNE's transform")
    assert "median of the 5 nearest landmarks" in text and "Rousseeuw 1987" in text
    assert "10-nearest-neighbor accuracy" in text and "in a tie the nearest decides" in text
    assert "1,000 bootstrap resamples of blocks of up to 100 consecutive images" in text
    assert "at most 400 random images of each split" in text and "10 disjoint samples of 500 images" in text
    assert describe_scores(1, 10, True).startswith("The 1 held-out image was placed")
    for arguments in ((5, 10, False), (0, 10, True), (0, 0, False)):
        text = describe_scores(*arguments, "row")
        assert text.startswith("For the figures,") and "placed" not in text
    assert "random rows of each split among all training rows" in text and "image" not in text
    assert "accuracy" not in text and "silhouettes" not in text and "the 10 and 30 nearest neighbors" in text


def test_versions_are_those_of_all_records():
    record = {"workflow": {"version": "9"}, "configuration": None, "versions": {"python": "3.12", "numpy": "1"}}
    other = record | {"versions": {"numpy": "2", "keras": "3"}}
    assert describe_versions([record, record, other]) == (
        "The workflow was version 9, commit unknown. Software: python 3.12, numpy 1 and 2, keras 3."
    )


def test_section_lists_what_it_cites():
    page = write_methods(["As Rousseeuw 1987 has it.", "", "More."])
    start = "# Methods\n\nAs Rousseeuw 1987 has it.\n\nMore.\n\n## References\n\n- Rousseeuw 1987. Silhouettes: "
    assert page.startswith(start) and page.count("\n- ") == 1 and page.endswith("90125-7\n")


def test_section_of_a_run_says_what_was_used(finished):
    text = (finished.folder / "results/Small/methods.md").read_text()
    network = json.loads((finished.folder / "results/Small/network/network.json").read_text())
    for sentence in (
        "1,297 training images, 250 validation images and 250 test images of 10 classes, each of 28 x 28 pixels",
        f"({network['parameters']:,} parameters), with seed 1004",
        "for 3 epochs with batches of 32 and 1 epoch with batches of 64.",
        "the pixels, the output of conv1, the output of conv2 and the output of dense3",
        "the 45 nearest neighbors by Euclidean distance, by exhaustive search",
        "Perplexity was 15.",
        "the 1,297 training and the 500 held-out images together",
        "The embedding of pixel started from the first 2 principal components (of 1,797 rows)",
        "starts were scaled to a standard deviation of 0.0001",
        "on the CPU, the repulsion was summed over all pairs",
        "100 iterations with exaggeration 12, learning rate 150 and momentum 0.8; then 50 iterations",
        "before training, with its initial weights; the averages of batch normalization were set, layer by layer, to "
        "those of 1,297 training images",
        "For the figures, embeddings were aligned",
        "tensorflow 2.21.0",
        *LAYERS[1:],
    ):
        assert sentence in text, sentence
    assert text.count("\n- ") == 8 and "Jégou" not in text and "Linderman" not in text, "only what is cited"
