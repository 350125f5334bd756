"""What figures call a network of a comparison."""

import pandas as pd

from common.text import count_noun


def describe_network(table: pd.DataFrame, network: str) -> str:
    """Return the name of a network with its number of parameters and its error on held-out images.

    `table` is that of compare_networks.
    """
    of_network = table[table.network == network]
    answers = of_network[(of_network.score == "network_accuracy") & of_network.layer.isna()].set_index("split")["mean"]
    errors = [f"{100 * (1 - answers[split]):.2f} % ({split})" for split in ("validation", "test") if split in answers]
    text = f"{network}: {count_noun(int(of_network.parameters.iloc[0]), 'parameter')}"
    return f"{text}, error {', '.join(errors)}" if errors else text
