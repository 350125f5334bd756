"""Write the tables of the pages from the code, the configuration and the measurements beside this file: make docs."""

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import network_tables
import protocol_tables
import yaml

from common.files import save_text
from common.scoring.scores import SCORES

ROOT = Path(__file__).parents[1]
MAX_DEFAULT = 40  # characters of a default in its cell
LONG_DEFAULTS = {  # in place of a default that is longer
    "datasets": "MNIST, FashionMNIST, Digits",
    "downloads": "mnist, fashion-mnist",
    "network.schedule": "5 epochs with batches of 64, then 7 with 512",
}


def format_table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a table in Markdown."""
    lines = ["| " + " | ".join(cell.replace("|", r"\|") for cell in cells) + " |" for cells in (header, *rows)]
    return "\n".join([lines[0], "|---" * len(header) + "|", *lines[1:]])


def tabulate_scores() -> str:
    """Return the table of the scores."""
    return format_table(["score", "description"], [[f"`{key}`", score.description] for key, score in SCORES.items()])


def list_keys(
    defaults: Mapping[str, Any], properties: Mapping[str, Any], prefix: str = ""
) -> Iterator[tuple[str, Any, str]]:
    """Yield each key that has a value of its own, dotted, with its default and its description."""
    for name, value in defaults.items():
        entry = properties[name]
        if "properties" in entry:
            yield from list_keys(value, entry["properties"], f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value, entry["description"]


def format_default(key: str, value: Any) -> str:
    """Return a default as YAML in one line, or its text in LONG_DEFAULTS; raises ValueError if it is too long."""
    if key in LONG_DEFAULTS:
        return LONG_DEFAULTS[key]
    text = yaml.safe_dump(value, default_flow_style=True, width=1000).removesuffix("...\n").strip()
    if len(text) > MAX_DEFAULT:
        raise ValueError(f"{key} has a long default. Add a short text to LONG_DEFAULTS in docs/tables.py.")
    return f"`{text}`"


def format_sentence(text: str) -> str:
    """Return a description with a capital at its start and a period at its end."""
    return f"{text[0].upper()}{text[1:]}".rstrip(".") + "."


def tabulate_keys(defaults: Mapping[str, Any], schema: Mapping[str, Any]) -> str:
    """Return the table of the keys of the configuration, in the order of the defaults."""
    keys = list_keys(defaults, schema["properties"])
    rows = [[f"`{key}`", format_default(key, value), format_sentence(text)] for key, value, text in keys]
    return format_table(["key", "default", "description"], rows)


def replace_table(text: str, name: str, table: str) -> str:
    """Return a page with the table between the lines <!-- name --> and <!-- /name --> replaced.

    Raises ValueError if the page does not have each of these lines once.
    """
    begin, end = f"<!-- {name} -->\n", f"\n<!-- /{name} -->\n"
    pattern = re.compile(f"(?<={re.escape(begin)}).*(?={re.escape(end)})", re.S)
    if text.count(begin) != 1 or text.count(end) != 1 or not pattern.search(text):
        raise ValueError(f"The page needs the lines {begin.strip()} and {end.strip()}, in this order and once each.")
    return pattern.sub(lambda _: f"\n{table}\n", text)


def load_yaml(name: str) -> dict[str, Any]:
    """Return the content of a YAML file in config/."""
    return yaml.safe_load((ROOT / "config" / name).read_text(encoding="utf-8"))


def render_pages() -> dict[Path, str]:
    """Return the text of each page with its tables as they should be, by path."""
    summary, fashion = protocol_tables.load_summary(), protocol_tables.load_summary("fashion-mnist")
    tables = {
        "README.md": {
            "learned": protocol_tables.tabulate_learned(summary),
            "gains": protocol_tables.tabulate_gains(summary),
        },
        "docs/scores.md": {
            "scores": tabulate_scores(),
            "accuracies": protocol_tables.tabulate_accuracies(summary),
            "similarity": protocol_tables.tabulate_similarity(),
        },
        "docs/fashion-mnist.md": {
            "learned": protocol_tables.tabulate_learned(fashion),
            "accuracies": protocol_tables.tabulate_accuracies(fashion),
            "gains": protocol_tables.tabulate_gains(fashion),
        },
        "docs/protocol.md": {
            "heldout": protocol_tables.tabulate_heldout(),
            "starts": protocol_tables.tabulate_starts(),
            "iterations": protocol_tables.tabulate_iterations(),
            "recall": protocol_tables.tabulate_recall(),
        },
        "docs/training.md": {
            "training": protocol_tables.tabulate_training(protocol_tables.load_summary("training")),
            "epochs": protocol_tables.tabulate_epochs(),
        },
        "docs/architectures.md": {
            "networks": network_tables.tabulate_networks(network_tables.load_table()),
            "layers": network_tables.tabulate_layers(network_tables.load_table()),
        },
        "config/README.md": {"keys": tabulate_keys(load_yaml("config.yaml"), load_yaml("schema.yaml"))},
    }
    pages = {}
    for name, by_marker in tables.items():
        text = (ROOT / name).read_text(encoding="utf-8")
        for marker, table in by_marker.items():
            text = replace_table(text, marker, table)
        pages[ROOT / name] = text
    return pages


if __name__ == "__main__":
    for path, text in render_pages().items():
        save_text(path, text)
