from collections.abc import Callable
from pathlib import Path

import pytest

from qa_daemon.errors import InputError
from qa_daemon.training.site.table import Decision, rows_of

LABELS = ("CHEST", "ABDOMEN")
Site = Callable[..., Path]


def test_rows_are_read_and_patients_are_hashed(site: Site) -> None:
    def change(rows: list[dict[str, str]]) -> None:
        rows[0] |= {"decision": "rejected", "source": "CT 2", "frame": "3", "series": "s"}

    rows = rows_of(site(change), LABELS)
    assert len(rows) == 24
    assert rows[2].labels == ("CHEST", "ABDOMEN")
    assert (rows[0].decision, rows[0].source, rows[0].frame) == (Decision.REJECTED, "CT 2", 3)
    assert (rows[1].decision, rows[1].source, rows[1].frame) == (Decision.BY_HAND, "own", 1)
    assert rows[0].patient.startswith("CT 2|")
    assert not any("MRN" in row.patient for row in rows)
    assert len({row.patient for row in rows}) == 24


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"labels": "CHEST|KNEE"}, "line 6: unknown label KNEE; use CHEST, ABDOMEN"),
        ({"patient": " "}, "line 6: no patient"),
        ({"file": "images/none.dcm"}, "line 6: images/none.dcm: no such file"),
        ({"file": "../../etc/passwd"}, "line 6: file must be a path within the folder"),
        ({"file": "/etc/passwd"}, "line 6: file must be a path within the folder"),
        ({"file": "x" * 400}, "x: no such file"),
        ({"frame": "9" * 5_000}, "line 6: frame must be a whole number from 1 on"),
        ({"frame": "0"}, "line 6: frame must be a whole number from 1 on"),
        ({"decision": "maybe"}, "line 6: unknown decision maybe"),
    ],
)
def test_a_wrong_row_is_told_with_its_line(site: Site, wrong: dict[str, str], said: str) -> None:
    with pytest.raises(InputError, match=r"labels\.csv: cannot be used") as refused:
        rows_of(site(lambda rows: rows[4].update(wrong)), LABELS)
    assert said in str(refused.value)
    assert "MRN" not in str(refused.value)


def test_all_wrong_rows_are_told_at_once_the_first_twenty_in_words(site: Site) -> None:
    def change(rows: list[dict[str, str]]) -> None:
        for row in rows:
            row["labels"] = "KNEE"

    with pytest.raises(InputError) as refused:
        rows_of(site(change), LABELS)
    assert str(refused.value).count("unknown label") == 20
    assert "and 4 more" in str(refused.value)


def test_too_few_patients_are_refused(site: Site) -> None:
    def change(rows: list[dict[str, str]]) -> None:
        for row in rows:
            row["patient"] = row["patient"][-1]

    with pytest.raises(InputError, match="10 patients; at least 20"):
        rows_of(site(change), LABELS)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "not found in the folder"),
        (b"file,labels\na,b\n", "has no column patient"),
        (b"", "has no column file, patient, labels"),
        (b"file,patient,labels\n\xff\xfe,a,b\n", "is not UTF-8"),
        (b'file,patient,labels\n"a"b,a,b\n', "is not a table"),
    ],
)
def test_what_is_no_table_is_refused(tmp_path: Path, content: bytes | None, said: str) -> None:
    if content is not None:
        (tmp_path / "labels.csv").write_bytes(content)
    with pytest.raises(InputError, match=said):
        rows_of(tmp_path, LABELS)
