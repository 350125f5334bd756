"""The look of figures: type, line widths, and the colors of lines and markers."""

import matplotlib

matplotlib.rcdefaults()  # a user's matplotlibrc is for other figures
matplotlib.rcParams["ps.fonttype"] = 42  # TrueType; journals refuse matplotlib's default, Type 3

PAGE_WIDTH = 7.0  # inches
DPI = 300  # of the PNG
PAGE_STYLE = {  # of a figure as wide as a page
    "font.size": 8,
    "axes.titlesize": 8,
    "axes.labelsize": 8,
    "xtick.labelsize": 7,
    "ytick.labelsize": 7,
    "legend.fontsize": 7,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.linewidth": 0.6,
    "legend.frameon": False,
}

SPACE_COLORS = {"features": "#3f90da", "map": "#e76300"}
FLOW_COLORS = {"wrong": "#b9b9b9", "corrected": "#3f90da", "broken": "#e76300"}
SPLIT_COLORS = {"training": "#717581", "validation": "#bd1f01"}
ANNOTATION = "#717581"
GUIDE = {"linewidth": 0.6, "linestyle": (0, (4, 3))}  # a dashed line
GUIDE_COLOR = "#b9b9b9"
GRID_COLOR = "#e5e5e5"
NEUTRAL = "#4d4d4d"  # of images without labels
