"""Networks: built-in architectures, models from files, and their layers."""
