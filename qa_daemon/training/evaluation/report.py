"""The report as one page that needs nothing beside it: tables, plots, and how they were made."""

import json
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any, Final

import yaml
from attrs import frozen

from qa_daemon.training.evaluation import plots, results
from qa_daemon.training.evaluation.asking import MODEL
from qa_daemon.training.evaluation.results import Told
from qa_daemon.training.figures import curves
from qa_daemon.training.recipe import Figures, Kind

#: As few rules as make tables readable, in light and in dark.
STYLE: Final = """
:root { color-scheme: light dark; }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 70rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.15rem; margin-top: 2.5rem; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: .9rem; }
th, td { text-align: left; padding: .3rem .9rem .3rem 0; border-bottom: 1px solid #8884; }
td.own { font-weight: 600; }
.note { opacity: .8; max-width: 46rem; }
.plots { display: flex; flex-wrap: wrap; gap: 1rem; margin-top: 1rem; }
.plots svg, figure svg { background: #fff; border-radius: 6px; max-width: 100%; height: auto; }
"""


@frozen(kw_only=True, eq=False)
class Report:
    """What is to be shown.

    Attributes
    ----------
    folds
        Answers over all folds, by model.
    package
        Answers of the package to those that it has not seen; None without one.
    """

    target: str
    labels: tuple[str, ...]
    kind: Kind
    figures: Figures
    folds: Mapping[str, Told]
    package: Told | None


def written(report: Report, path: Path) -> Path:
    """Write the page; return where."""
    path.write_text(page(report), encoding="utf-8")
    return path


def page(report: Report) -> str:
    """Return the page as HTML."""
    return _page(
        report.target,
        report.figures,
        [*_package(report), *_folds(report), *_sources(report), *_shortcuts(report)],
    )


def plain_page(target: str, figures: Figures) -> str:
    """Return the page of a target of which only its recipe can say how good it is."""
    parts: Any = {name: figures[name] for name in ("folds by patient", "sources held out")}
    body = [
        "<h2>Patients held out: three folds</h2>",
        _note("A share reads [share, lower, upper]."),
        _listed(parts["folds by patient"]),
        "<h2>Sources held out</h2>",
    ]
    for source, found in parts["sources held out"].items():
        body += [f"<h3>{escape(source)}</h3>", _listed(found)]
    return _page(target, figures, body)


def _page(target: str, figures: Figures, body: Sequence[str]) -> str:
    how: Any = figures["how"]
    warning = (
        "<p><strong>A quick run: it shows that everything works, and says nothing about the "
        "model.</strong></p>"
        if how["quick"]
        else ""
    )
    return "\n".join(
        [
            "<!doctype html>",
            '<html lang="en"><head><meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>{escape(target)}: evaluation</title>",
            f"<style>{STYLE}</style></head><body>",
            f"<h1>{escape(target)}: evaluation</h1>",
            warning,
            _note(
                f"{how['pictures']} pictures of {how['patients']} patients from {how['sources']} "
                f"sources; licences: {figures['licences']}. Brackets are 95 % Wilson "
                "intervals; pictures of one patient are not independent: the true ones are wider."
            ),
            *body,
            "<h2>How it was made</h2>",
            _table(("what", "how"), [(name, str(value)) for name, value in how.items()]),
            _note("Not a medical device. All figures, by label too: evaluation.json."),
            "</body></html>",
            "",
        ]
    )


def _listed(figures: Figures) -> str:
    text = str(yaml.safe_dump(json.loads(json.dumps(figures)), sort_keys=False, width=90))
    return f"<pre>{escape(text)}</pre>"


def _package(report: Report) -> list[str]:
    own: Any = report.figures.get("package")
    if own is None or report.package is None:
        return []
    told = report.package
    return [
        f"<h2>{escape(own['model'])} on held-out patients and sources</h2>",
        _note(
            "The package as it stands. Its temperature and thresholds were chosen on these same "
            "pictures."
        ),
        _table(("model", *_COLUMNS), [_row(own["model"], own)]),
        _figure(*_curves(report.labels, told)),
        _figure(plots.confusion("Confusion", report.labels, results.table(told))),
    ]


def _folds(report: Report) -> list[str]:
    own: Any = report.figures["folds by patient"]
    return [
        "<h2>Patients held out: three folds</h2>",
        _note(
            "Models fitted for this report, each asked about patients that it has not seen, beside "
            "plain baselines on the same folds."
        ),
        _table(("model", *_COLUMNS), [_row(name, each) for name, each in own.items()]),
        _figure(
            plots.risk(
                "Risk over coverage",
                {
                    name: curves.risk_coverage(told.right, told.sure)
                    for name, told in report.folds.items()
                },
            ),
            plots.reliability(
                "Reliability of the best label",
                {
                    name: curves.reliability(told.right, told.sure)
                    for name, told in report.folds.items()
                },
            ),
            *_curves(report.labels, report.folds[MODEL]),
        ),
        _figure(plots.confusion("Confusion", report.labels, results.table(report.folds[MODEL]))),
    ]


def _curves(labels: Sequence[str], told: Told) -> list[str]:
    """Return ROC and precision-recall by label, the labels that are told worst first."""
    worst = sorted(results.rocs(told).items(), key=lambda each: each[1].area)
    precise = results.precisions(told)
    return [
        plots.lines(
            "ROC by label (area)",
            ("1 - specificity", "sensitivity"),
            {labels[place]: curve for place, curve in worst},
        ),
        plots.lines(
            "Precision and recall by label (mean precision)",
            ("recall", "precision"),
            {labels[place]: precise[place] for place, _ in worst},
        ),
    ]


def _sources(report: Report) -> list[str]:
    found: Any = report.figures["sources held out"]
    if not found:
        return ["<h2>Sources held out</h2>", "<p>There is only one source.</p>"]
    shares = {
        f"{source} ({each[MODEL]['n']})": {
            name: values["best label right"] for name, values in each.items()
        }
        for source, each in found.items()
    }
    rows = [
        (
            source,
            str(each[MODEL]["n"]),
            str(each[MODEL]["patients"]),
            *(_share(values["best label right"]) for values in each.values()),
        )
        for source, each in found.items()
    ]
    models = tuple(next(iter(found.values())))
    return [
        "<h2>Sources held out</h2>",
        _note(
            "Each source in turn is held out as a whole; sources of fewer than 50 pictures are "
            "held out together. This is the figure that another hospital may expect."
        ),
        _figure(plots.bars("Best label right, by source held out", shares)),
        _table(("source", "pictures", "patients", *models), rows),
    ]


def _shortcuts(report: Report) -> list[str]:
    own: Any = report.figures["shortcuts"]
    border = own["border alone"]
    rows = [("answer from the border alone", *_found(border))]
    rows += [
        (f"source, among pictures of {label}", *_found(each))
        for label, each in own["source among pictures of one label"].items()
    ]
    masked = own.get("markers masked")
    return [
        "<h2>Shortcuts</h2>",
        _note(
            "Plain classifiers on the normalised input, three folds by patient, every class "
            "counting the same. What is near chance cannot be read from the input this way; what "
            "is above it could be used by a model that looks for it. Where the body reaches the "
            "border, its outline is part of it."
        ),
        _table(("what", "pictures", "balanced accuracy", "chance"), rows),
        *(
            [_table(("input", "best label right"), [(k, _share(v)) for k, v in masked.items()])]
            if masked
            else []
        ),
    ]


_COLUMNS: Final = (
    "pictures", "best label right", "macro F1", "mean AUC", "ECE", "wrong of surest 90 %"
)  # fmt: skip


def _row(name: str, own: Any) -> tuple[str, ...]:
    return (
        name,
        str(own["n"]),
        _share(own["best label right"]),
        f"{own['macro F1']:.3f}",
        f"{own['mean AUC']:.3f}",
        f"{own['ECE']:.3f}",
        _share(own["wrong among the surest 90%"]),
    )


def _found(own: Any) -> tuple[str, str, str]:
    return str(own["n"]), _share(own["balanced accuracy"]), f"{own['chance']:.3f}"


def _share(values: Sequence[float]) -> str:
    share, low, high = values
    return f"{share:.3f} [{low:.3f}, {high:.3f}]"


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    cells = "".join(f"<th>{escape(name)}</th>" for name in head)
    lines = [f"<table><thead><tr>{cells}</tr></thead><tbody>"]
    for row in rows:
        own = ' class="own"' if row[0] == MODEL else ""
        lines.append("<tr>" + "".join(f"<td{own}>{escape(each)}</td>" for each in row) + "</tr>")
    return "\n".join([*lines, "</tbody></table>"])


def _note(text: str) -> str:
    return f'<p class="note">{escape(text)}</p>'


def _figure(*drawings: str) -> str:
    return '<div class="plots">\n' + "\n".join(drawings) + "\n</div>"
