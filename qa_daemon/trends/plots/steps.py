"""A histogram of what was seen, and the steps of what was expected drawn over it."""

from collections.abc import Sequence

from qa_daemon.trends.plots.axes import HEIGHT, Tick, drawing, frame, scale_to
from qa_daemon.trends.plots.svg import element, joined, percent, pixels, text

_WIDE = 1000
_WIDTH = 0.92


def histogram(
    name: str, seen: Sequence[float], expected: Sequence[float], titles: Sequence[str]
) -> str:
    """Return a plot of shares by tenths.

    Parameters
    ----------
    seen, expected
        Shares of equal number, 0 to 1.
    titles
        What each bar says when pointed at.
    """
    scale = scale_to(max((*seen, *expected, 0.01)))
    room = 1 / len(seen)
    bars = [
        element(
            "rect",
            element("title", text(title)),
            class_="bar-seen",
            x=percent((number + (1 - _WIDTH) / 2) * room),
            width=percent(room * _WIDTH),
            y=pixels(scale.y(share)),
            height=pixels(scale.y(0) - scale.y(share)),
        )
        for number, (share, title) in enumerate(zip(seen, titles, strict=True))
    ]
    path = "".join(
        f"{'L' if number else 'M'}{_WIDE * number * room:.1f} {scale.y(share):.1f}"
        f"H{_WIDE * (number + 1) * room:.1f}"
        for number, share in enumerate(expected)
    )
    steps = element(
        "svg",
        element("path", class_="step", d=path, fill="none", vector_effect="non-scaling-stroke"),
        x=0, y=0, width="100%", height=HEIGHT,
        viewBox=f"0 0 {_WIDE} {HEIGHT}", preserveAspectRatio="none",
    )  # fmt: skip
    ticks = [Tick((number + 0.5) * room, f".{number}") for number in range(len(seen))]
    digits = 0 if scale.values[1] >= 0.01 else 1
    labels = [f"{100 * value:.{digits}f}\N{THIN SPACE}%" for value in scale.values]
    return drawing(name, frame(scale, labels, ticks) + joined(bars) + steps)
