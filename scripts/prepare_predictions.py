"""Read the classes that the user's own network predicts for vectors."""

from common.inputs import load_array, load_classes
from common.logs import run_logged
from common.names import SPLITS
from common.readers.predictions import check_forms, read_predictions
from common.readers.vectors import find_column, find_files, stream_vectors
from common.row_names import load_names
from common.tables import save_predictions, tabulate_predictions

if __name__ == "__main__":
    with run_logged(snakemake.log[0], f"prepare_predictions {snakemake.wildcards.dataset}"):
        paths, values = snakemake.input, load_classes(snakemake.input.class_labels)
        vectors, predictions = find_files(paths, "vectors"), {}
        for split, path in find_files(paths, "predictions").items():
            count = stream_vectors(vectors[split][0]).shape[0]
            column = find_column(snakemake.params.columns, split, "predictions")
            predictions[split] = read_predictions(path, count, values, column)
        check_forms(predictions)
        labels, tables = dict(zip(SPLITS, map(load_array, paths.labels), strict=True)), {}
        names = load_names(paths.names, [len(numbers) for numbers in labels.values()])
        for split, (numbers, probabilities) in predictions.items():
            rows = load_array(paths.rows) if split == "train" else slice(None)
            confidence = None if probabilities is None else probabilities[rows]
            tables[split] = tabulate_predictions(labels[split], numbers[rows], confidence)
        save_predictions(snakemake.output.predictions, tables, names)
