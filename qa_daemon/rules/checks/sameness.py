"""What belongs to a series or a study must be the same in all of its images."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from qa_daemon.records.instance import Instance
from qa_daemon.rules.checks.registry import Options, of_series, of_study, words
from qa_daemon.rules.facts import (
    PASSED,
    Answer,
    Hit,
    NotApplicable,
    SeriesFacts,
    StudyFacts,
    uids,
    values_of,
)


@of_series
def elements_same(facts: SeriesFacts, options: Options) -> Answer:
    """Check that the images of a series agree in what belongs to the series; empty says nothing."""
    keywords = [each for each in words(options, "keywords") if each in facts.series.conflicting]
    found = _differing(facts.series.instances, keywords)
    if not found:
        return PASSED
    message = f"{' and '.join(found)} differs between the images of the series."
    return (Hit(message, uids(_fewer(found), facts.series.instances), _evidence(found)),)


@of_study
def study_elements_same(facts: StudyFacts, options: Options) -> Answer:
    """Check that the images of a study agree in what belongs to the study; empty says nothing."""
    whole = [instance for series in facts.series for instance in series.instances]
    keywords = words(options, "keywords")
    if not any(values_of(each, keyword) for each in whole for keyword in keywords):
        return NotApplicable()
    found = _differing(whole, keywords)
    if not found:
        return PASSED
    message = f"{' and '.join(found)} differs between the images of the study."
    return (Hit(message, uids(_fewer(found), whole), _evidence(found)),)


_Differing = Mapping[str, Mapping[str, Sequence[Instance]]]


def _differing(instances: Iterable[Instance], keywords: Iterable[str]) -> _Differing:
    """Return keyword -> value -> holders, for keywords of more than one value."""
    whole = tuple(instances)
    found = {keyword: _holders(whole, keyword) for keyword in keywords}
    return {keyword: holders for keyword, holders in found.items() if len(holders) > 1}


def _holders(instances: Sequence[Instance], keyword: str) -> Mapping[str, list[Instance]]:
    holders: dict[str, list[Instance]] = defaultdict(list)
    for each in instances:
        if value := "\\".join(values_of(each, keyword) or ()):
            holders[value].append(each)
    return holders


def _fewer(found: _Differing) -> Iterable[Instance]:
    """Return the instances that differ from most."""
    concerned: dict[str, Instance] = {}
    for holders in found.values():
        most = max(holders, key=lambda value: (len(holders[value]), value))
        for value, instances in holders.items():
            if value != most:
                concerned |= {each.sop_instance_uid: each for each in instances}
    return concerned.values()


def _evidence(found: _Differing) -> Mapping[str, str]:
    return {keyword: " | ".join(sorted(holders)) for keyword, holders in found.items()}
