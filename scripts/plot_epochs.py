"""Draw the embeddings of one layer before training, after some epochs and after the last, with their scores."""

import matplotlib

from common.figures.files import save_figure
from common.figures.panels import draw_panels, make_caption
from common.figures.style import DPI, PAGE_STYLE
from common.inputs import load_classes, load_json, load_rows
from common.logs import run_logged
from common.names import SPLIT_NAMES, SPLITS

MAX_COLUMNS = 4


def name_epoch(epoch: int) -> str:
    """Return what stands above the embedding after an epoch."""
    return f"epoch {epoch}" if epoch else "before training"


def choose_columns(count: int) -> int:
    """Return the number of columns with which so many panels fill their rows best."""
    rows = -(-count // MAX_COLUMNS)
    return -(-count // rows)


if __name__ == "__main__":
    layer = snakemake.wildcards.layer
    with run_logged(snakemake.log[0], f"plot_epochs {layer}"), matplotlib.rc_context(PAGE_STYLE):
        paths, params = snakemake.input, snakemake.params
        maps, captions = {}, {}
        for epoch, file, scores in zip(params.epochs, paths.maps, paths.scores, strict=True):
            points, labels = load_rows(file, paths.labels)
            name, group = name_epoch(epoch), f"training {params.noun}s"
            maps[name] = {"": {group: points}}
            found = load_json(scores)
            captions[name] = {"": make_caption(found, params.reference)}
        splits = [SPLIT_NAMES[split] for split in SPLITS if found[split]["rows"]]
        figure = draw_panels(
            maps,
            {group: labels},
            load_classes(paths.classes),
            captions,
            params.palette,
            f"{layer}. Scores in the embedding: {' / '.join(splits)} {params.noun}s",
            columns=choose_columns(len(maps)),
            one_frame=True,
        )
        save_figure(figure, snakemake.output.eps, snakemake.output.png, DPI)
