"""Parts of the explorer page."""
