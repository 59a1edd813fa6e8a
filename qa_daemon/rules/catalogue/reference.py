"""The reference of rule files, made from the tables that the engine works with."""

from collections.abc import Iterable, Mapping
from typing import Final

from qa_daemon.records.prediction import TARGETS
from qa_daemon.rules.looks.names import (
    INSTANCE_FACTS,
    ORDER_FACTS,
    PREDICTION_FACTS,
    SERIES_FACTS,
    SIDE_FACTS,
    STUDY_FACTS,
    TEXT_FACTS,
)
from qa_daemon.rules.operators import OPERATORS
from qa_daemon.rules.operators.bodies import TABLES
from qa_daemon.rules.reading.proposals import SOURCES
from qa_daemon.rules.schema import CASE_STORE

_FACTS: Final = (
    ("tag.Keyword", "all values of an element, by its keyword in PS3.6"),
    ("tag.ImageType[3]", "its third value"),
    ("tag.RequestAttributesSequence[*].AccessionNumber", "the values in all items, at any depth"),
    ("tag.ProcedureCodeSequence[1].CodeValue", "the value in the first item"),
    ("tag.60000010", "an element without a keyword, by its eight digits"),
    ("item.Keyword", "in the item at hand, below `every: tag.SEQUENCE`"),
    (
        "frame.PixelMeasuresSequence.PixelSpacing",
        """functional groups: those of the frame, else the shared ones, else the top level, where
        classic objects have it; `frame.PixelSpacing` looks in every group""",
    ),
    (
        "private.GEMS_IDEN_01.0009xx27",
        "a private element: creator, group, last two digits; its block may differ between objects",
    ),
    ("received", "when the last object of the series came"),
)
_CONDITIONS: Final = (
    ("{fact: NAME, WORD: ...}", "one fact and one word of the table below"),
    ("{all: [...]}", "every condition holds"),
    ("{any: [...]}", "at least one holds"),
    ("{not: ...}", "it does not hold"),
    ("{every: OVER, is: ...}", "it holds for every one; for none at all, too"),
    ("{some: OVER, is: ...}", "it holds for at least one"),
    ("{none: OVER, is: ...}", "it holds for none"),
    ("{at_least: 2, of: OVER, is: ...}", "it holds for so many, also `at_most`"),
    ("{every: OVER, where: ..., is: ...}", "only those for which `where` holds are asked"),
    ("{registered: NAME}", "a check in Python, by its name; alone or among others"),
    ("{fact: irregularities, free_of: [KIND]}", "what the scan noted; alone, as `check` only"),
)
_INTRODUCTION: Final = """# Rule files

One rule is one YAML file with its cases beside it. This page is made from the engine's own tables
(`qa-daemon rules docs --reference`), and a test holds it to them. `qa-daemon rules schema` prints
the JSON Schema for an editor.

```yaml
id: SITE-001
title: The Accession Number is not one of ours
topic: order
severity: minor
status: stable
version: 1
level: series
rationale: Ours are two letters and six digits (PS3.3 C.7.2.1).
applies_when: {fact: tag.AccessionNumber, filled: true}
check: {fact: tag.AccessionNumber, matches: '[A-Z]{2}[0-9]{6}'}
cases:
  - {name: typed by hand, tags: {AccessionNumber: "12345"}, outcome: finding}
  - {name: one of ours, tags: {AccessionNumber: RX123456}, outcome: passed}
```

`level` is what one finding is about: `instance` (each distinct set of values once), `series`, or
`study` (all series of the study are in view). `applies_when` false: *not applicable*. A `needs`
without a sure prediction: *not evaluated*. `check` false: a *finding*, with `message` (or the
title) in which `{tag.Keyword}` is filled in. A condition has three answers; what is not known
stays unknown unless the rest decides: no beats unknown in `all`, yes beats it in `any`.

`options: {longest: 16}` names values that a site may set otherwise (`rules.changes` in
service.yaml); conditions use them as `$longest`. `enabled: false` is a rule that a site has to
switch on.

An element that is absent or empty answers no to every word but `present: false`, `filled: false`,
`not_equals`, `not_in` and `count`; guard a check with `applies_when: {..., filled: true}`. A
comparison with another fact that has no value is *not evaluated*.

"""
_SUGGEST: Final = (
    ("{replace: Keyword, SOURCE: ...}", "write a value into every instance of the series"),
    (
        "{replace: 'Sequence[1].Keyword', SOURCE: ...}",
        "the same in one item; where the item is not there, nothing is suggested",
    ),
    ("{make_same: Keyword}", "write what more than half of the images have; it stands as evidence"),
    ("{remove: Keyword}", "take the element out"),
    ("[{replace: ...}, {remove: ...}]", "several changes, one suggestion"),
    ("{registered: NAME}", "a way in Python, by its name"),
    ("alternatives: [...]", "beside `suggest`: other ways, in their order"),
)
_CASE: Final = (
    ("name, outcome", "what it shows, and finding, passed, not_applicable or not_evaluated"),
    ("tags", "of all instances; a list for several values, null for empty, items of sequences"),
    ("instances", "one mapping of tags for each instance, over `tags`"),
    ("series", "of a study: a list of `{tags, instances, ...}`"),
    ("predictions", "target -> label -> probability; {} abstains"),
    ("transfer_syntax, frames", "UID; how many frames the object has"),
    ("received, order", "a date and time in quotes; `{accession: A1, regions: [KNEE]}`"),
    ("store", "; ".join(f"`{name}`: {says}" for name, says in CASE_STORE.items())),
    ("irregularities, table_side", "kinds that the scan noted; where the table is seen"),
    ("severity, proposes", "the finding's, and values that its suggestion must hold; [] for none"),
)


def reference() -> str:
    """Return the page, as Markdown."""
    parts = [
        _INTRODUCTION,
        _table("Facts", ("fact", "what it says"), (*_FACTS, *_named_facts())),
        _table("Conditions", ("condition", "when it holds"), _CONDITIONS),
        "OVER: `instances`, `frames`, `series` (level study), `tag.SEQUENCE`, `item.SEQUENCE`.\n\n",
        _table("Words", ("word", "asks", "takes", "example"), _words()),
        _table(
            "Tables of terms",
            ("is_term_of", "listed in"),
            ((f"{name}", section) for name, (section, _) in sorted(TABLES.items())),
        ),
        _table("Suggestions", ("suggest", "does"), _SUGGEST),
        _table("Sources of a value", ("SOURCE", "writes"), SOURCES.items()),
        "A suggestion is made only if the VR allows its values and the check passes with them.\n\n",
        _table("Cases", ("key", "what it describes"), _CASE),
    ]
    return "".join(parts).rstrip("\n") + "\n"


def _named_facts() -> Iterable[tuple[str, str]]:
    yield from INSTANCE_FACTS.items()
    for kind, facts in (
        ("series", SERIES_FACTS),
        ("study", STUDY_FACTS),
        ("order", ORDER_FACTS),
        ("side", SIDE_FACTS),
        ("text", TEXT_FACTS),
    ):
        yield from _of_kind(kind, facts)
    yield f"prediction.TARGET, of {', '.join(TARGETS)}", PREDICTION_FACTS["label"]
    for part, says in PREDICTION_FACTS.items():
        yield f"prediction.TARGET.{part}", says


def _of_kind(kind: str, facts: Mapping[str, str]) -> Iterable[tuple[str, str]]:
    for name, says in facts.items():
        yield ("side" if (kind, name) == ("side", "any") else f"{kind}.{name}"), says


def _words() -> Iterable[tuple[str, str, str, str]]:
    for name, operator in sorted(OPERATORS.items()):
        yield name, operator.means, operator.takes.words, operator.example


#: Columns that are prose; all others are code.
_PROSE: Final = frozenset(
    {"what it says", "when it holds", "asks", "takes", "does", "listed in", "writes"}
    | {"what it describes"}
)


def _table(title: str, head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [f"## {title}\n", _row(head), _row(("---",) * len(head))]
    for row in rows:
        cells = [
            cell if name in _PROSE else f"`{cell}`" for name, cell in zip(head, row, strict=True)
        ]
        lines.append(_row(" ".join(cell.replace("|", "\\|").split()) for cell in cells))
    return "\n".join(lines) + "\n\n"


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"
