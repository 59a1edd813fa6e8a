"""Every value is shown as it is: nothing acts, nothing is hidden, nothing breaks the line."""

from hypothesis import given
from hypothesis import strategies as st

from qa_daemon.queue.reviewing.tag_table import EACH_MAX, VALUE_LENGTH_MAX, cut, shown, table
from qa_daemon.records.finding import Action, Change, JsonValue, Scope, Suggestion


def change(
    current: tuple[JsonValue, ...] | None,
    proposed: tuple[JsonValue, ...] | None,
    *,
    attribute: str = "ImageOrientationPatient",
    tag: str = "00200037",
    uid: str | None = None,
) -> Change:
    return Change(
        scope=Scope.SERIES if uid is None else Scope.INSTANCE,
        action=Action.REPLACE,
        attribute=attribute,
        tag=tag,
        path=attribute,
        vr="DS",
        current=current,
        proposed=proposed,
        sop_instance_uid=uid,
    )


def test_an_attribute_that_is_the_same_everywhere_is_one_row() -> None:
    changes = [change(("1", "0"), ("-1", "0"), uid=str(n)) for n in range(7)]
    (row,) = table(Suggestion(tuple(changes)))
    assert (row.name, row.tag) == ("Image Orientation (Patient)", "0020,0037")
    assert (row.places, row.is_same, row.each) == (7, True, ())
    assert row.proposed is not None
    assert [(part.text, part.is_changed) for part in row.proposed] == [("-1", True), ("0", False)]


def test_values_of_each_image_are_listed_up_to_a_bound() -> None:
    changes = [change((str(n),), (str(-n - 1),), uid=str(n)) for n in range(EACH_MAX + 5)]
    (row,) = table(Suggestion(tuple(changes)))
    assert not row.is_same
    assert (len(row.each), row.left_out) == (EACH_MAX, 5)
    assert (row.each[3].current, row.each[3].proposed) == ("3", "-4")


def test_absent_empty_and_removed_are_told_apart() -> None:
    added, emptied = change(None, ("CHEST",)), change((), None, attribute="Laterality")
    first, second = table(Suggestion((added, emptied)))
    assert first.current is None
    assert second.current == ()
    assert second.proposed is None
    assert first.places == 0


def test_what_stays_is_no_row() -> None:
    assert table(Suggestion((change(("1",), ("1",)),))) == ()
    assert table(None) == ()


def test_a_private_tag_keeps_its_keyword() -> None:
    (row,) = table(Suggestion((change(("1",), ("2",), attribute="00091001", tag="00091001"),)))
    assert row.name == "00091001"


def test_an_item_of_a_sequence_is_told_without_its_wrapping() -> None:
    item = {"00080100": {"vr": "SH", "Value": ["T-11"]}}
    assert shown(item) == '{"00080100": "T-11"}'


@given(st.text(max_size=200))
def test_no_control_character_gets_through(text: str) -> None:
    said = cut(shown(text))
    assert len(said) <= VALUE_LENGTH_MAX
    assert not any(ord(each) < 32 or 0x7F <= ord(each) < 0xA0 for each in said)
    assert not set(said) & set("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f")
