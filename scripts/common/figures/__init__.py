"""What the figures share: colors, type, the frame of a map, and EPS files."""
