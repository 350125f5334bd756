"""Print, as a table, what each job asked for and what it took: python docs/resources.py > docs/resources.md."""

import json
from pathlib import Path

print("""# What the jobs ask for, and what they take

On all 50,000 images, on 2 cores, two jobs at a time: `snakemake --cores all`, then `python docs/resources.py >
docs/resources.md`. Memory is what a benchmark file has as `max_rss`; of a job that ends in seconds it misses some. The
rules name their requests (`rules/*.smk`), by the size of what they read, and with 300 MB for Snakemake itself, which
runs the job on a cluster's node. What is not here takes seconds, asks for nothing and runs where Snakemake runs.

| job | input (MB) | memory asked (MB) | memory taken (MB) | time asked (min) | time taken (min) |
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
