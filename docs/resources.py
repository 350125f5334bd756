"""Print a table of the resources that each job requested and used: python docs/resources.py > docs/resources.md."""

import json
from pathlib import Path

print("""# Resources that jobs request and use

The table is for the run on MNIST with all 50,000 images, on 2 cores, two jobs at a time.
To update it, run `snakemake --cores all`, then `python docs/resources.py > docs/resources.md`.

The rules request memory and time according to the size of their input (`rules/*.smk`).
The request includes 300 MB for Snakemake itself, which runs the job on the node of a cluster.
Used memory is `max_rss` in the benchmark file of the job; for jobs of a few seconds, it can miss the peak.
Jobs that are not listed take seconds, request nothing and run where Snakemake runs.

| job | input (MB) | memory requested (MB) | memory used (MB) | time requested (min) | time used (min) |
|---|---|---|---|---|---|""")
for path in sorted(Path("benchmarks").glob("*/**/*.jsonl")):
    job = json.loads(path.read_text())
    asked = job["resources"]
    if "mem_mb" in asked:
        name = " ".join([job["rule_name"], job["wildcards"].get("layer", "")]).strip()
        size = sum(job["input_size_mb"].values()) * 2**20 / 1e6
        print(
            f"| {name} | {size:.0f} | {asked['mem_mb']} | {job['max_rss'] * 2**20 / 1e6:.0f} "
            f"| {asked['runtime']} | {job['s'] / 60:.1f} |"
        )
