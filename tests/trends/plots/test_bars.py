"""Plots as a reader of SVG finds them."""

import xml.etree.ElementTree as ET

import pytest

from qa_daemon.trends.plots.axes import (
    BOTTOM,
    LABEL_LENGTH_MAX,
    MARKERS_MAX,
    TOP,
    Marker,
    Tick,
    scale_to,
)
from qa_daemon.trends.plots.bars import Stack, stacked
from qa_daemon.trends.plots.lines import Line, LinePlot, lines
from qa_daemon.trends.plots.steps import histogram

HOSTILE = '"><script>alert(1)</script>\0\u202e&'


def shapes(svg: str, name: str) -> list[ET.Element]:
    return list(ET.fromstring(svg).iter(name))  # noqa: S314  our own


def rectangles(svg: str, kind: str) -> list[ET.Element]:
    return [each for each in shapes(svg, "rect") if each.get("class") == kind]


def heights(svg: str, kind: str) -> list[float]:
    return [float(each.attrib["height"]) for each in rectangles(svg, kind)]


@pytest.mark.parametrize(
    ("greatest", "values"),
    [
        (0, (0, 1)),
        (3, (0, 1, 2, 3)),
        (47, (0, 20, 40, 60)),
        (9, (0, 5, 10)),
        (84, (0, 25, 50, 75, 100)),
        (1000, (0, 250, 500, 750, 1000)),
    ],
)
def test_a_scale_begins_at_zero_and_holds_the_greatest(
    greatest: float, values: tuple[float, ...]
) -> None:
    scale = scale_to(greatest, is_whole=True)
    assert scale.values == values
    assert scale.top == values[-1]
    assert (scale.y(0), scale.y(scale.top)) == (BOTTOM, TOP)


def test_heights_are_in_proportion_and_stand_on_zero() -> None:
    svg = stacked("Findings", [Stack((10, 0, 0), "a"), Stack((20, 0, 0), "b")], [], [])
    small, great = rectangles(svg, "bar-solid")
    assert float(great.attrib["height"]) == pytest.approx(
        2 * float(small.attrib["height"]), abs=0.6
    )
    foot = [float(bar.attrib["y"]) + float(bar.attrib["height"]) for bar in (small, great)]
    assert foot == pytest.approx([BOTTOM - 0.5] * 2, abs=0.1)


def test_parts_of_a_stack_stand_on_each_other() -> None:
    svg = stacked("Findings", [Stack((10, 5, 3), "a")], [], [])
    solid, hatched, outlined = (
        rectangles(svg, kind)[0] for kind in ("bar-solid", "bar-hatched", "bar-outlined")
    )
    assert float(outlined.attrib["y"]) < float(hatched.attrib["y"]) < float(solid.attrib["y"])
    assert hatched.attrib["fill"].startswith("url(#")


def test_more_than_three_parts_are_refused() -> None:
    with pytest.raises(ValueError, match="parts"):
        Stack((1, 2, 3, 4), "a")


def test_no_finding_at_all_is_an_empty_plot() -> None:
    svg = stacked("Findings", [Stack((0, 0, 0), "a")], [], [])
    assert heights(svg, "bar-solid") == []
    assert heights(stacked("Findings", [], [], []), "bar-solid") == []


def test_whatever_is_written_stays_text() -> None:
    svg = stacked(
        HOSTILE,
        [Stack((1,), HOSTILE, f"/trends?rule={HOSTILE}")],
        [Tick(0.5, HOSTILE)],
        [Marker(0.5, HOSTILE)],
    )
    names = {element.tag for element in ET.fromstring(svg).iter()}  # noqa: S314  our own
    assert "script" not in names
    assert "\0" not in svg
    assert 'style="' not in svg


def test_of_many_revisions_the_latest_are_drawn_with_labels_cut_to_size() -> None:
    markers = [Marker(number / 10, f"{number} " + "x" * 60) for number in range(10)]
    svg = stacked("Findings", [Stack((1,), "a")], [], markers)
    labels = [each for each in shapes(svg, "text") if each.get("class") == "mark-t"]
    assert len(labels) == MARKERS_MAX
    drawn = ["".join(each.itertext()).removeprefix(each[0].text or "") for each in labels]
    assert all(len(label) <= LABEL_LENGTH_MAX for label in drawn)
    assert drawn[0].startswith("4 ")


def test_a_line_breaks_where_nothing_is_known() -> None:
    plot = LinePlot(
        name="Share",
        lines=(Line("share", (0.5, None, 0.7, 0.8), (True, True, False, True)),),
        ticks=(),
        said=lambda value: f"{value:.0%}",
        goal=(0.7, "bar"),
        top=1.0,
    )
    svg = lines(plot)
    path = shapes(svg, "path")[0]
    assert path.attrib["d"].count("M") == 2
    kinds = [each.get("class") for each in shapes(svg, "circle")]
    assert kinds == ["point", "point-grey"]
    assert "bar" in svg


def test_names_of_lines_that_end_together_do_not_lie_on_each_other() -> None:
    plot = LinePlot(
        name="Age",
        lines=(Line("median", (1.0, 2.0)), Line("oldest tenth", (1.0, 2.0))),
        ticks=(),
        said=str,
    )
    drawn = [each for each in shapes(lines(plot), "text") if each.get("class") == "line-t"]
    first, second = (float(each.attrib["y"]) for each in drawn)
    assert second - first >= 12


def test_a_plot_has_at_most_three_lines() -> None:
    with pytest.raises(ValueError, match="lines"):
        LinePlot(name="x", lines=(Line("a", ()),) * 4, ticks=(), said=str)


def test_a_histogram_draws_what_was_seen_and_the_steps_of_what_was_expected() -> None:
    svg = histogram("Scores", (0.25, 0.75), (0.5, 0.5), ("a", "b"))
    small, great = heights(svg, "bar-seen")
    assert great == pytest.approx(3 * small, abs=0.2)
    path = shapes(svg, "path")[0]
    assert path.attrib["d"].count("H") == 2
