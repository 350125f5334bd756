# What the rules share: the wildcards' values, and the helpers that a script imports.

import ast
import re
from pathlib import Path

# Half the cores: two heavy jobs side by side keep a machine busier than one after the other with all of them.
HALF = max(1, (workflow.cores or 4) // 2)


wildcard_constraints:
    dataset=re.escape(DATASET),
    layer="|".join(map(re.escape, config["layers"])),


def helpers(*modules):
    """The modules of scripts/common, with those that they import themselves, as input files of the rule whose script imports them.

    Snakemake reruns a rule when its script is edited, but knows nothing of what the script imports.
    """
    found = []
    for module in modules:
        path = workflow.source_path(f"../scripts/common/{module}.py")
        found.append(path)
        for node in ast.walk(ast.parse(Path(path).read_text())):
            if isinstance(node, ast.ImportFrom) and node.module.startswith("common."):
                found += helpers(node.module.removeprefix("common."))
    return sorted(set(found))
