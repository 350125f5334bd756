"""Draw the embeddings of all layers side by side, before and after training, in the same colors, with their scores."""

from collections.abc import Mapping

import matplotlib
import numpy as np

from common.figures.errors import find_errors
from common.figures.files import save_figure
from common.figures.panels import AFTER, BEFORE, draw_panels, make_caption
from common.figures.style import DPI, PAGE_STYLE
from common.inputs import load_array, load_classes, load_json, load_rows
from common.logs import run_logged
from common.names import SPLIT_NAMES, SPLITS
from common.tables import load_predictions


def group_splits(by_split: Mapping[str, np.ndarray], noun: str = "image") -> dict[str, np.ndarray]:
    """Return arrays by split as those of "training images" and of "held-out images", if there are any.

    The noun is "image", or what else a row is.
    """
    held_out = np.concatenate([by_split[split] for split in SPLITS[1:]])
    return {f"training {noun}s": by_split["train"]} | ({f"held-out {noun}s": held_out} if len(held_out) else {})


if __name__ == "__main__":
    with run_logged(snakemake.log[0], "plot_layers"), matplotlib.rc_context(PAGE_STYLE):
        paths, params = snakemake.input, snakemake.params
        labels = dict(zip(SPLITS, map(load_array, paths.labels), strict=True))
        maps, captions = {}, {}
        for number, layer in enumerate(params.layers):
            files = paths.maps[len(SPLITS) * number :][: len(SPLITS)]
            points = [load_rows(path, rows)[0] for path, rows in zip(files, paths.labels, strict=True)]
            stage = AFTER if layer in params.controls else ""
            maps[layer] = {stage: group_splits(dict(zip(SPLITS, points, strict=True)), params.noun)}
            captions[layer] = {stage: make_caption(load_json(paths.scores[number]), params.reference)}
        for layer, file, scores in zip(params.controls, paths.control_maps, paths.control_scores, strict=True):
            points = load_rows(file, paths.labels[0])[0]
            maps[layer][BEFORE] = {f"training {params.noun}s": points}
            captions[layer][BEFORE] = make_caption(load_json(scores), params.reference)
        wrong = None
        if paths.predictions:
            counts = {split: len(rows) for split, rows in labels.items()}
            wrong = group_splits(find_errors(load_predictions(*paths.predictions, **counts)), params.noun)
        splits = [SPLIT_NAMES[split] for split, rows in labels.items() if len(rows)]
        note = f"Scores in the embedding: {' / '.join(splits)} {params.noun}s"
        figure = draw_panels(
            maps,
            group_splits(labels, params.noun),
            load_classes(paths.classes),
            captions,
            params.palette,
            note if len(splits) > 1 else "",
            wrong,
        )
        save_figure(figure, snakemake.output.eps, snakemake.output.png, DPI)
