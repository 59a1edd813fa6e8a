"""A technician reads what was found, why, and what would mend it."""

from attrs import evolve

from qa_daemon.records.finding import Outcomes, Suggestion, Verdict
from qa_daemon.records.inference import Inference
from qa_daemon.report.as_text import series_text
from qa_daemon.report.summary import INTENDED_USE, SeriesReport


def test_the_report_tells_finding_evidence_changes_and_versions(report: SeriesReport) -> None:
    text = series_text(report, rules="abcdef" * 10, version="0.1.0")
    for said in (
        "Series      1.1",
        "Instances   2 (revision 1)",
        "CHEST  probability 0.990",
        "2  probability 0.600, not used (low_probability)",
        "not known (model_unavailable)",
        "1. [critical] ORIENT-005 (orientation), confidence 0.990",
        "- class: 2",
        "Concerns 2 of 2 instances.",
        "Suggested if the pixels were turned after acquisition",
        "Or else if the pixels are as acquired, only the orientation tag is wrong",
        "1\\0\\0\\0\\1\\0  ->  -1\\0\\0\\0\\-1\\0   [1 place]",
        "on screen: turn 180 degrees clockwise",
        "on screen: turn 90 degrees clockwise, then flip left-right",
        "KNEE  ->  CHEST   [every instance of the series]",
        "1 passed, 3 fired, 1 not applicable, 1 not evaluated, 1 broken",
        "not evaluated: A-3 (plane: model_unavailable)",
        "broken: A-4 (KeyError in x:1)",
        "axial@1, region@1",
        "abcdefabcdefabcd\n",
        "qa-daemon   0.1.0",
    ):
        assert said in text, said
    assert text.endswith(f"{INTENDED_USE}\n")


def test_a_series_without_findings_says_so(report: SeriesReport) -> None:
    clean = evolve(report, inference=Inference(), verdict=Verdict((), Outcomes()))
    text = series_text(clean)
    assert "No findings." in text
    assert "nothing was asked" in text
    assert "Rules       " not in text


def test_values_that_could_drive_a_terminal_are_replaced(report: SeriesReport) -> None:
    finding = evolve(report.verdict.findings[2], message="\x1b[31mred\u202e\n2. [critical] forged")
    text = series_text(evolve(report, verdict=Verdict((finding,), Outcomes())))
    assert "\x1b" not in text
    assert "\u202e" not in text
    assert "\n2. [critical]" not in text


def test_long_tables_are_cut_and_say_where_the_rest_is(report: SeriesReport) -> None:
    first = report.verdict.findings[0]
    assert first.suggestion is not None
    (change,) = first.suggestion.changes
    changes = tuple(evolve(change, proposed=(f"{number}",)) for number in range(9))
    finding = evolve(first, suggestion=Suggestion(changes), alternatives=())
    text = series_text(evolve(report, verdict=Verdict((finding,), Outcomes())))
    assert "and 4 more; all stand in the suggestion file" in text


def test_a_value_that_stays_is_not_told_as_a_change(report: SeriesReport) -> None:
    first = report.verdict.findings[0]
    assert first.suggestion is not None
    (change,) = first.suggestion.changes
    long = ("-0.1234567890123",) * 6
    changes = (evolve(change, proposed=change.current), evolve(change, proposed=long))
    finding = evolve(first, suggestion=Suggestion(changes), alternatives=())
    text = series_text(evolve(report, verdict=Verdict((finding,), Outcomes())))
    assert "stays 1\\0\\0\\0\\1\\0   [1 place]" in text
    assert f"->  {chr(92).join(long)}   [1 place]" in text


def test_absent_empty_long_and_nested_values_are_told(report: SeriesReport) -> None:
    first = report.verdict.findings[1]
    assert first.suggestion is not None
    (change,) = first.suggestion.changes
    changes = (
        evolve(change, current=None),
        evolve(change, current=()),
        evolve(change, current=("x" * 200,)),
        evolve(change, current=({"Alphabetic": "Doe^Jane"}, {"00080100": {}}, None, 5)),
    )
    finding = evolve(first, suggestion=Suggestion(changes))
    text = series_text(evolve(report, verdict=Verdict((finding,), Outcomes())))
    for said in ("(absent)", "(empty)", f"{'x' * 101}...", "Doe^Jane\\(item)\\\\5"):
        assert said in text
