"""Plots as SVG text that stands in a page by itself: no script, no font, no link.

In: curves and tables. Out: SVG elements. Colours are told apart by people who see fewer of them,
and lines by their dashes as well.
"""

import io
import re
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any, Final

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from qa_daemon.training.figures.curves import Bins, Curve

#: Okabe and Ito, "Color Universal Design", 2008.
COLOURS: Final = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
DASHES: Final = ("-", "--", "-.", ":")
#: A plot of lines names no more than this many; the rest is drawn thin and grey.
NAMED_MAX: Final = 7
SQUARE: Final = (4.6, 4.2)
STYLE: Final[Any] = {
    "svg.fonttype": "none",
    "svg.hashsalt": "qa-daemon",
    "font.family": "sans-serif",
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlesize": 10,
    "axes.titleweight": "bold",
    "legend.frameon": False,
    "legend.fontsize": 8,
    "figure.constrained_layout.use": True,
}


def lines(title: str, axes: tuple[str, str], curves: Mapping[str, Curve]) -> str:
    """Return curves over the unit square, the first ones named with their area."""
    with mpl.rc_context(STYLE):
        figure = Figure(SQUARE)
        plot = figure.subplots()
        for place, (name, curve) in enumerate(curves.items()):
            if place < NAMED_MAX:
                plot.plot(
                    curve.across,
                    curve.up,
                    color=COLOURS[place],
                    linestyle=DASHES[place % len(DASHES)],
                    label=f"{name} ({curve.area:.3f})",
                    linewidth=1.5,
                )
            else:
                plot.plot(curve.across, curve.up, color="#bbbbbb", linewidth=0.8, zorder=0)
        plot.set(title=title, xlabel=axes[0], ylabel=axes[1], xlim=(0, 1), ylim=(0, 1.01))
        plot.legend(loc="lower center")  # where good curves are not
        return _text(figure, title)


def risk(title: str, curves: Mapping[str, Curve]) -> str:
    """Return risk over coverage; the scale ends where the worst curve of interest does."""
    with mpl.rc_context(STYLE):
        figure = Figure(SQUARE)
        plot = figure.subplots()
        for place, (name, curve) in enumerate(curves.items()):
            shown = curve.across >= 0.05  # the first few pictures jump up and down
            plot.plot(
                curve.across[shown],
                curve.up[shown],
                color=COLOURS[place % len(COLOURS)],
                linestyle=DASHES[place % len(DASHES)],
                label=name,
                linewidth=1.5,
            )
        plot.set(title=title, xlabel="share answered, the surest first", ylabel="share wrong")
        plot.set(xlim=(0, 1), ylim=(0, None))
        plot.legend(loc="upper left")
        return _text(figure, title)


def reliability(title: str, bins: Mapping[str, Bins]) -> str:
    """Return how often answers of each probability are right; the diagonal is honest."""
    with mpl.rc_context(STYLE):
        figure = Figure(SQUARE)
        plot = figure.subplots()
        plot.plot([0, 1], [0, 1], color="#999999", linewidth=0.8)
        for place, (name, each) in enumerate(bins.items()):
            plot.plot(
                each.sure,
                each.right,
                color=COLOURS[place % len(COLOURS)],
                linestyle=DASHES[place % len(DASHES)],
                marker="o",
                markersize=3,
                label=f"{name} (ECE {each.error:.3f})",
                linewidth=1.2,
            )
        plot.set(title=title, xlabel="probability said", ylabel="share right")
        plot.set(xlim=(0, 1), ylim=(0, 1.01))
        plot.legend(loc="upper left")
        return _text(figure, title)


def confusion(title: str, labels: Sequence[str], table: NDArray[np.int_]) -> str:
    """Return counts in a grid, shaded by the share of each true label."""
    side = max(4.2, 0.42 * len(labels) + 1.4)
    shares = table / np.maximum(table.sum(axis=1, keepdims=True), 1)
    with mpl.rc_context(STYLE):
        figure = Figure((side, side))
        plot = figure.subplots()
        # Cells as paths: a picture inside SVG would be a bitmap.
        plot.pcolormesh(shares, cmap="Blues", vmin=0, vmax=1, edgecolors="white", linewidth=0.5)
        for (row, column), count in np.ndenumerate(table):
            if count:
                colour = "white" if shares[row, column] > 0.5 else "black"
                place = (column + 0.5, row + 0.5)
                plot.text(*place, str(count), ha="center", va="center", color=colour, fontsize=7)
        places = np.arange(len(labels)) + 0.5
        plot.set_xticks(places, labels, rotation=90)
        plot.set_yticks(places, labels)
        plot.invert_yaxis()
        plot.set(title=title, xlabel="said", ylabel="true")
        return _text(figure, title)


def bars(title: str, groups: Mapping[str, Mapping[str, Sequence[float]]]) -> str:
    """Return shares by group, a dot per name; values are (share, low, high)."""
    names = list(next(iter(groups.values())))
    with mpl.rc_context(STYLE):
        figure = Figure((8.6, 0.42 * len(groups) + 1.6))
        plot = figure.subplots()
        for place, name in enumerate(names):
            share, low, high = np.asarray([values[name] for values in groups.values()]).T
            at = np.arange(len(groups)) + 0.16 * (place - (len(names) - 1) / 2)
            plot.errorbar(
                share,
                at,
                xerr=[share - low, high - share],
                fmt="osD^v"[place % 5],
                color=COLOURS[place % len(COLOURS)],
                markersize=4,
                elinewidth=0.9,
                label=name,
            )
        plot.set_yticks(np.arange(len(groups)), list(groups))
        plot.invert_yaxis()
        plot.set(title=title, xlabel="share right, 95 % interval", xlim=(0, 1.01))
        plot.grid(axis="x", color="#e5e5e5", linewidth=0.6)
        figure.legend(loc="outside lower center", ncols=len(names))
        return _text(figure, title)


def _text(figure: Figure, title: str) -> str:
    buffer = io.StringIO()
    figure.savefig(buffer, format="svg", metadata={"Date": None, "Title": title})
    said = f'<svg role="img" aria-label="{escape(title)}"'
    return re.sub(r"^.*?<svg", said, buffer.getvalue(), count=1, flags=re.DOTALL).strip()
