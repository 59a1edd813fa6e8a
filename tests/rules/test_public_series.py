"""On public series the rules find what is wrong in the tags, and raise nothing else."""

import csv
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path

import pytest

from qa_daemon.dicom.header import read_instance
from qa_daemon.limits import Limits
from qa_daemon.records.finding import Finding, Severity, Topic
from qa_daemon.records.inference import Inference
from qa_daemon.records.instance import Instance
from qa_daemon.rules.evaluate import evaluate
from qa_daemon.rules.facts import SeriesFacts, StudyFacts
from qa_daemon.rules.schema import RulePack
from qa_daemon.series.assemble import assemble

pytestmark = pytest.mark.shared

#: Topics that the tags alone decide, without a look at the pixels.
WITHOUT_PIXELS = frozenset({Topic.GEOMETRY, Topic.ORIENTATION, Topic.ORDER})


def findings_of(folder: Path, pack: RulePack) -> list[Finding]:
    by_series: dict[str, list[Instance]] = defaultdict(list)
    for path in sorted(folder.iterdir()):
        instance = read_instance(path.read_bytes(), Limits(), source=str(path))
        by_series[instance.series_instance_uid].append(instance)
    series = [assemble(instances) for instances in by_series.values()]
    verdicts = [evaluate(pack, SeriesFacts(each, Inference())) for each in series]
    verdicts.append(evaluate(pack, StudyFacts(tuple(series))))
    assert not [fault for verdict in verdicts for fault in verdict.outcomes.fault]
    return [finding for verdict in verdicts for finding in verdict.findings]


def allowed(row: Mapping[str, str]) -> dict[Topic, Severity]:
    """Return the topics that may be found, with the greatest severity of each."""
    words = [*row["must_find"].replace("|", " ").split(), *row["may_find"].split()]
    split = [word.partition(":") for word in words]
    return {
        Topic(topic): Severity[severity.upper()] if severity else Severity.CRITICAL
        for topic, _, severity in split
    }


def test_every_public_series_raises_what_it_must_and_nothing_that_it_may_not(
    shipped_pack: RulePack, shared_data: Path
) -> None:
    with (shared_data / "expected.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) > 20
    wrong = []
    for row in rows:
        found = [f for f in findings_of(shared_data / row["case"], shipped_pack) if f.severity]
        may = allowed(row)
        wrong += [
            f"{row['case']}: {finding.rule}: {finding.message}"
            for finding in found
            if finding.severity > may.get(finding.topic, Severity.INFO)
        ]
        must = set(row["must_find"].split("|")) & WITHOUT_PIXELS
        if must and not must & {finding.topic for finding in found}:
            wrong.append(f"{row['case']}: nothing found of {sorted(must)}")
    assert not wrong, "\n".join(wrong)
