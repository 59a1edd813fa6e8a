"""Another class gets the tags that the geometry demands, computed from the received series."""

from collections.abc import Iterator

import pytest
from attrs import evolve

from qa_daemon.config.load import load_settings
from qa_daemon.queue.deciding.amend import class_suggestions, in_class
from qa_daemon.queue.deciding.answers import AcceptClass, RefusalKind, Refused
from qa_daemon.queue.deciding.desk import Desk
from qa_daemon.records.finding import Suggestion
from qa_daemon.store.database import Store
from qa_daemon.store.result_rows import FindingFilter, FindingRow, finding_list
from tests.cli.conftest import drawn
from tests.cli.test_admin import judged, received


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """Return a desk over one series with a finding, its slices tagged as class 0."""
    folder = tmp_path_factory.mktemp("amended")
    received(folder, drawn(folder / "files", PatientPosition="FSH"))
    judged(folder)
    settings = load_settings(None, overrides={"state": folder})
    with Store(settings.store_url, 5.0) as store:
        yield Desk(store, settings)


@pytest.fixture(scope="module")
def row(desk: Desk) -> FindingRow:
    """Return the finding, as if the orientation rule had fired."""
    found = finding_list(desk.store, FindingFilter(), 1)[0]
    return evolve(found, finding=evolve(found.finding, rule="ORIENT-005"))


def proposed(suggestion: Suggestion) -> set[tuple[object, ...]]:
    changes = suggestion.changes
    return {each.proposed or () for each in changes if each.attribute == "ImageOrientationPatient"}


@pytest.mark.parametrize(
    ("label", "values"),
    [
        ("2", ("-1", "0", "0", "0", "-1", "0")),
        ("4", ("-1", "0", "0", "0", "1", "0")),
        ("6", ("1", "0", "0", "0", "-1", "0")),
    ],
)
def test_another_class_gets_its_tags_under_each_cause(
    desk: Desk, row: FindingRow, label: str, values: tuple[str, ...]
) -> None:
    found = class_suggestions(desk, row, label)
    assert len(found) >= 2
    assert len({each.hypothesis for each in found}) == len(found)
    for each in found:
        assert proposed(each) == {values}
    assert in_class(desk, row, AcceptClass(label)) == found[0]
    second = found[1].hypothesis
    assert in_class(desk, row, AcceptClass(label, second)) == found[1]


def test_what_no_class_can_mend_is_refused(desk: Desk, row: FindingRow) -> None:
    other_rule = evolve(row, finding=evolve(row.finding, rule="ORIENT-008"))
    for asked, label, said in (
        (row, "0", "the tags already say class 0"),
        (row, "8", "there are 0 to 7"),
        (other_rule, "4", "is not about how a picture lies"),
        (evolve(row, series_key=""), "4", "of a whole study"),
        (evolve(row, revision=0), "4", "no object of its series"),
    ):
        with pytest.raises(Refused, match=said) as refusal:
            class_suggestions(desk, asked, label)
        assert refusal.value.refusal.kind is RefusalKind.UNFIT


def test_rules_are_read_once_and_again_after_a_reload(desk: Desk) -> None:
    first = desk.rules
    assert desk.rules is first
    own = evolve(desk.settings, rules=evolve(desk.settings.rules, disabled=("ORIENT-005",)))
    fresh = Desk(desk.store, desk.settings)
    fresh.apply(own)
    assert fresh.rules.digest != first.digest
