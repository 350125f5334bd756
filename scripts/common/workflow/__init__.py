"""What the rules use, besides the configuration. It runs in Snakemake's own process; no script imports it."""
