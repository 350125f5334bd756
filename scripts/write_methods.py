"""Write the methods section of a run, for a paper, from the records of its results."""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from common.files import save_text
from common.inputs import load_array, load_classes, load_json
from common.logs import run_logged
from common.names import SPLITS
from common.networks.architectures import load_architecture
from common.networks.schedule import describe_phase
from common.provenance_text import describe_provenance
from common.scoring.parameters import (
    BLOCK_ROWS,
    N_PRESERVED,
    N_QUERIES,
    N_RESAMPLES,
    N_SAMPLES,
    N_VOTERS,
    SAMPLE_ROWS,
)
from common.text import count_noun, join_words
from common.tsne.placement import PERPLEXITY, TRANSFORM

REFERENCES = {
    "Linderman et al. 2019": "Fast interpolation-based t-SNE for improved visualization of single-cell RNA-seq data. "
    "Nature Methods 16, 243-245. https://doi.org/10.1038/s41592-018-0308-4",
    "Poličar et al. 2023": "Embedding to reference t-SNE space addresses batch effects in single-cell classification. "
    "Machine Learning 112, 721-740. https://doi.org/10.1007/s10994-021-06043-1",
    "Poličar et al. 2024": "openTSNE: A Modular Python Library for t-SNE Dimensionality Reduction and Embedding. "
    "Journal of Statistical Software 109(3). https://doi.org/10.18637/jss.v109.i03",
    "Chan et al. 2019": "GPU accelerated t-distributed stochastic neighbor embedding. "
    "Journal of Parallel and Distributed Computing 131, 1-13. https://doi.org/10.1016/j.jpdc.2019.04.008",
    "van der Maaten and Hinton 2008": "Visualizing Data using t-SNE. "
    "Journal of Machine Learning Research 9, 2579-2605.",
    "Jégou et al. 2011": "Product Quantization for Nearest Neighbor Search. "
    "IEEE Transactions on Pattern Analysis and Machine Intelligence 33, 117-128. "
    "https://doi.org/10.1109/TPAMI.2010.57",
    "Venna and Kaski 2001": "Neighborhood Preservation in Nonlinear Projection Methods: An Experimental Study. "
    "ICANN 2001, 485-491. https://doi.org/10.1007/3-540-44668-0_68",
    "Saxe et al. 2011": "On Random Weights and Unsupervised Feature Learning. ICML 2011, 1089-1096.",
    "Alain and Bengio 2016": "Understanding intermediate layers using linear classifier probes. "
    "https://arxiv.org/abs/1610.01644",
    "He and Su 2023": "A law of data separation in deep learning. PNAS 120(36), e2221704120. "
    "https://doi.org/10.1073/pnas.2221704120",
    "Facco et al. 2017": "Estimating the intrinsic dimension of datasets by a minimal neighborhood information. "
    "Scientific Reports 7, 12140. https://doi.org/10.1038/s41598-017-11873-y",
    "Rousseeuw 1987": "Silhouettes: a graphical aid to the interpretation and validation of cluster analysis. "
    "Journal of Computational and Applied Mathematics 20, 53-65. https://doi.org/10.1016/0377-0427(87)90125-7",
}
ABOUT_LEARNING = "What a layer has learned is the difference from this control (Saxe et al. 2011)."
SCALINGS = {
    "unit": "with values from 0 to 1",
    "bytes": "with values from 0 to 255",
    "tf": "with values from -1 to 1",
    "torch": "normalized by the mean and standard deviation of ImageNet's colors",
    "caffe": "in the order blue, green, red, with the mean of ImageNet's colors subtracted",
}


def describe_data(dataset: str, settings: Mapping[str, Any], rows: Mapping[str, int], shape: Sequence[int]) -> str:
    """Return the sentences on the data, from `rows` by split and the images' `shape`, which is empty without images."""
    noun, is_vectors = settings["noun"], settings["kind"] == "vectors"
    classes = f" of {count_noun(settings['classes'], 'class', 'classes')}" if settings["classes"] else " without labels"
    others = [count_noun(rows[split], f"{split} {noun}") for split in ("validation", "test") if rows[split]]
    size = f", each of {shape[0]} x {shape[1]} pixels and {count_noun(shape[2], 'channel')}" if shape else ""
    counts = join_words([count_noun(rows["train"], f"training {noun}"), *others])
    text = f"The data set {dataset} has {counts}{classes}{size}."
    if settings["sample"]:
        share = ", each class with its share" if settings["classes"] else ""
        text += f" Of the source's training {noun}s at most {settings['sample']:,} were used, drawn at random{share}."
    if is_vectors:
        text += " Its vectors were computed outside of the workflow."
    share = settings["hold_out"]
    if settings["kind"] not in ("pickle", "vectors") and others and (settings["trained"] or share):
        part = f"{100 * share:g} %" if share else "a sixth"
        text += f" What the source has no images for was held out from its training images, {part} of each class."
    return text


def describe_network(network: Mapping[str, Any], facts: Sequence[Mapping[str, Any]]) -> str:
    """Return the sentences on the network, from its settings and the records of train_network or import_model."""
    if not facts:
        return ""
    first = facts[0]
    weights = count_noun(first["parameters"], "parameter")
    if "seed" not in first:
        name = Path(network["model"]).name if network["model"].endswith(".keras") else network["model"]
        height, width, channels = first["input"]
        return (
            f"We used the network {name} ({weights}) as it is, without training. It was given the images at {height} x "
            f"{width} pixels and {count_noun(channels, 'channel')}, {SCALINGS[first['scaling']]}."
        )
    seeds = [entry["seed"] for entry in facts]
    phases = [describe_phase(phase) for phase in first["schedule"]]
    if network["model"].endswith(".py"):
        built = f"the network that {Path(network['model']).name} builds"
    else:
        built = load_architecture(network["model"]).describe(network)
    several = f"{len(seeds)} times, with seeds" if len(seeds) > 1 else "with seed"
    shuffled = " Its labels were shuffled among the training images." if first["shuffled_labels"] else ""
    return (
        f"We trained {built} ({weights}), {several} {join_words(seeds)}, on cross-entropy with Adam "
        f"(learning rate {first['learning_rate']:g}), for {join_words(phases)}.{shuffled}"
    )


def describe_controls(facts: Sequence[Mapping[str, Any]], layers: Sequence[str], is_trained: bool) -> str:
    """Return the sentences on the `layers` before training, from the records of initialize_network; vectors have none.

    Without such layers, there is no text.
    """
    if not layers:
        return ""
    if not facts:
        vectors = join_words([f"the vectors {layer}" for layer in layers])
        return f"As a control, {vectors} were also mapped and scored before training. {ABOUT_LEARNING}"
    weights = "its initial weights" if is_trained else f"new weights (seed {facts[0]['seed']})"
    text = f"As a control, the layers of the network were also mapped and scored before training, with {weights}"
    if facts[0]["normalized_layers"]:
        images = count_noun(facts[0]["images"], "training image")
        text += f"; the averages of batch normalization were set, layer by layer, to those of {images}"
    return f"{text}. {ABOUT_LEARNING}"


def describe_layers(layers: Sequence[Mapping[str, Any]], is_vectors: bool) -> str:
    """Return the layers, as a list in a sentence."""
    if is_vectors:
        return join_words([f"the vectors {layer['name']}" for layer in layers])
    names = [
        f"the output of {layer['layer']}" + (" (averaged over height and width)" if layer["pool"] else "")
        for layer in layers
        if layer["name"] != "pixel"
    ]
    return join_words((["the pixels"] if len(names) < len(layers) else []) + names)


def describe_neighbors(maps: Sequence[Mapping[str, Any]]) -> str:
    """Return the sentences on the neighbor search, from the record of each embedding."""
    searches = [facts["neighbors"] for facts in maps]
    noun = "landmarks" if "landmarks" in maps[0] else "neighbors"
    text = f"For each row we found the {searches[0]['k']} nearest {noun} by Euclidean distance"
    if all(search["method"] == "exact" for search in searches):
        text += ", by exhaustive search."
    else:
        recall = math.floor(min(search["recall"] for search in searches) * 1e4) / 1e4
        text += (
            ". Where a search was not exhaustive, candidates came from the first principal components, in the nearest "
            "cells of a k-means (after Jégou et al. 2011), and were ranked by their full distance. Recall, measured on "
            f"a random sample, was at least {recall:.4f}."
        )
    if any(facts["backend"] == "tsnecuda" for facts in maps):
        text += " For its embeddings, tsnecuda found the neighbors itself."
    return text


def describe_tsne(maps: Sequence[Mapping[str, Any]], seeds: Sequence[int], noun: str = "image") -> str:
    """Return the sentences on t-SNE, from the record of each embedding; the noun is "image", or what else a row is."""
    facts = maps[0]
    backends = sorted({f"{entry['backend']} {entry['version']}" for entry in maps})
    sources = {"openTSNE": "Poličar et al. 2024", "tsnecuda": "Chan et al. 2019"}
    cited = [sources[name] for name in sources if any(backend.startswith(name) for backend in backends)]
    ways = {
        "grid": "interpolated on a grid (after Linderman et al. 2019)",
        "all pairs": "summed over all pairs",
    }
    found = [way for name, way in ways.items() if any(entry.get("repulsion") == name for entry in maps)]
    repulsion = f"; on the CPU, the repulsion was {join_words(found)}" if found else ""
    held_out = maps[0].get("held_out_images", 0)
    rows = "the rows"
    if held_out:
        rows = f"the {facts['images']:,} training and the {held_out:,} held-out {noun}s together"
    text = (
        f"We embedded {rows} in two dimensions with t-SNE (van der Maaten and Hinton 2008; {join_words(backends)}, "
        f"{join_words(cited)}){repulsion}. Perplexity was {facts['perplexity']:g}. {describe_starts(maps)} "
        f"{describe_phases(facts['phases'])} "
    )
    text += f"Seeds were {join_words(seeds)}. " if len(seeds) > 1 else f"The seed was {seeds[0]}. "
    if "landmarks" in facts:
        text += (
            f"{facts['landmarks']:,} of the {facts['images']:,} rows were embedded so, chosen to be as dense as all. "
            "The others were placed in their embedding, each on its own. "
        )
    return text.rstrip()


def describe_phases(phases: Sequence[Mapping[str, float]]) -> str:
    """Return the sentence on the iterations, from the phases in an embedding's record."""
    texts = []
    for phase in phases:
        exaggeration = f"exaggeration {phase['exaggeration']:g}, " if phase["exaggeration"] != 1 else ""
        rate, momentum = f"learning rate {phase['learning_rate']:,.0f}", f"momentum {phase['momentum']:g}"
        texts.append(f"{count_noun(phase['iterations'], 'iteration')} with {exaggeration}{rate} and {momentum}")
    return f"It took {'; then '.join(texts)}."


def describe_starts(maps: Sequence[Mapping[str, Any]]) -> str:
    """Return the sentences on the start of t-SNE, from the record of each embedding."""
    starts = [entry["start"] for entry in maps]
    of_rows = sorted({start["of_rows"] for start in starts if "of_rows" in start})
    sample = (
        count_noun(of_rows[0], "row") if len(of_rows) == 1 else f"{of_rows[0]:,} to {count_noun(of_rows[-1], 'row')}"
    )
    components = max(start.get("components", 1) for start in starts)
    texts = [f"the first {count_noun(components, 'principal component')} (of {sample})"]
    others = [start["from"] for start in starts if "of_rows" not in start]
    scaled = f"scaled to a standard deviation of {starts[0]['standard_deviation']:g}, with Gaussian noise of "
    scaled += f"{starts[0]['jitter']:g}"
    if not others:
        return f"The embedding started from {texts[0]}, {scaled}."
    return (
        f"The {others[0]} started from {texts[0]}, those of the other layers from this one, so that they can be "
        f"compared; starts were {scaled}."
    )


def describe_scores(held_out: int, classes: int, landmarks: bool, noun: str = "image") -> str:
    """Return the sentences on the held-out rows and the scores; the noun is "image", or what else a row is."""
    parts = []
    if held_out and landmarks:
        placed = count_noun(held_out, f"held-out {noun} was", f"held-out {noun}s were")
        parts.append(
            f"The {placed} placed into each embedding by openTSNE's transform (Poličar et al. 2023): from the median "
            f"of the {TRANSFORM['k']} nearest landmarks, with perplexity {PERPLEXITY}, exaggeration "
            f"{TRANSFORM['exaggeration']} and learning rate {TRANSFORM['learning_rate']}."
        )
    parts.append("For the figures, embeddings were aligned by orthogonal Procrustes analysis.")
    shown = [
        "the intrinsic dimension of the features (TwoNN; Facco et al. 2017)",
        f"the share of the {join_words(N_PRESERVED)} nearest neighbors that the embedding keeps",
        f"trustworthiness and continuity (Venna and Kaski 2001) of {N_VOTERS} neighbors, for at most {N_QUERIES} "
        f"random {noun}s of each split among all training {noun}s",
        f"the rank correlation of distances (in at most {N_SAMPLES} disjoint samples of {SAMPLE_ROWS} {noun}s)",
    ]
    if classes:
        accuracy = (
            f"the {N_VOTERS}-nearest-neighbor accuracy in the features and in the embedding (voters are training "
            f"{noun}s; in a tie the nearest decides)"
        )
        separation = (
            "the accuracies of a linear probe (ridge classifier; Alain and Bengio 2016) and of the nearest class mean, "
            f"both fitted to the training {noun}s, separation fuzziness (He and Su 2023)"
        )
        shown = [accuracy, separation, *shown, f"the silhouettes of the classes (Rousseeuw 1987) for the same {noun}s"]
    parts.append(f"We report {join_words(shown)}.")
    parts.append(
        f"Intervals of 95 % are from {N_RESAMPLES:,} bootstrap resamples of blocks of up to {BLOCK_ROWS} consecutive "
        f"{noun}s, crossed with networks and embeddings where there are several; differences are paired by {noun}."
    )
    return " ".join(parts)


def describe_versions(records: Sequence[Mapping[str, Any]]) -> str:
    """Return the sentences on the software, from the provenance of networks and embeddings."""
    versions = {}
    for record in records:
        for project, version in record["versions"].items():
            versions.setdefault(project, []).append(version)
    named = [f"{project} {join_words(dict.fromkeys(found))}" for project, found in versions.items()]
    made = join_words(dict.fromkeys(describe_provenance(record) for record in records))
    return f"The workflow was {made}. Software: {', '.join(named)}."


def write_methods(paragraphs: Sequence[str]) -> str:
    """Return the section in Markdown: the paragraphs, and the references that they cite."""
    text = "\n\n".join(paragraph for paragraph in paragraphs if paragraph)
    cited = [f"- {name}. {title}" for name, title in REFERENCES.items() if name in text]
    return f"# Methods\n\n{text}\n\n## References\n\n" + "\n".join(cited) + "\n"


if __name__ == "__main__":
    with run_logged(snakemake.log[0], "write_methods"):
        paths, settings = snakemake.input, dict(snakemake.params.settings)
        dataset, network = snakemake.wildcards.dataset, settings["network"]
        rows = {split: len(load_array(path)) for split, path in zip(SPLITS, paths.labels, strict=True)}
        settings["classes"] = len(load_classes(paths.classes))
        shape = load_array(paths.images[0]).shape[1:] if paths.images else ()
        networks, controls, maps = (
            [load_json(path) for path in files] for files in (paths.networks, paths.controls, paths.records)
        )
        of_controls = describe_controls(controls, settings["control_layers"], settings["trained"])
        what, noun = describe_layers(settings["layers"], settings["kind"] == "vectors"), settings["noun"]
        paragraphs = [
            describe_data(dataset, settings, rows, shape),
            f"{describe_network(network, networks)} {of_controls}".strip(),
            f"We compared {what}. {describe_neighbors(maps)} {describe_tsne(maps, settings['tsne']['seeds'], noun)}",
            describe_scores(rows["validation"] + rows["test"], settings["classes"], "landmarks" in maps[0], noun),
            describe_versions([facts["provenance"] for facts in (*networks, *maps)]),
        ]
        save_text(snakemake.output.methods, write_methods(paragraphs))
