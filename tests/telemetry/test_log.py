"""What reaches standard error: JSON lines without a word that a library or an exception said."""

import io
import json
import logging
import os
import re
import sys
import threading
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest

from qa_daemon.telemetry import log as telemetry
from qa_daemon.telemetry.events import LogEvent
from qa_daemon.telemetry.facts import Pseudonyms
from qa_daemon.telemetry.log import LIBRARY_PLACES_MAX, LIBRARY_REPEATS, log

VALUE = "DOE^JANE"


@pytest.fixture
def written() -> Iterator[io.StringIO]:
    stream = io.StringIO()
    telemetry.start("info", "json", Pseudonyms(b"k" * 32), stream)
    yield stream
    telemetry.stop()


def lines(stream: io.StringIO) -> list[dict[str, object]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_a_line_says_event_level_time_and_facts(written: io.StringIO) -> None:
    log.info(LogEvent.INSTANCE_ACCEPTED, series_key="1.2.3", bytes=512)
    (line,) = lines(written)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT[\d:.]+Z", str(line.pop("timestamp")))
    assert line == {
        "event": "instance.accepted",
        "level": "info",
        "series_key": str(Pseudonyms(b"k" * 32).of("1.2.3")),
        "bytes": 512,
    }


def test_every_line_is_one_write_so_that_lines_of_several_processes_stay_apart() -> None:
    class Pieces(io.StringIO):
        def write(self, text: str, /) -> int:
            pieces.append(text)
            return len(text)

    pieces: list[str] = []
    telemetry.start("info", "json", Pseudonyms(b"k" * 32), Pieces())
    log.info(LogEvent.INSTANCE_ACCEPTED, bytes=512)
    log.info(LogEvent.INSTANCE_ACCEPTED, bytes=513)
    telemetry.stop()
    assert [piece.count("\n") for piece in pieces if piece] == [1, 1]
    assert all(piece.endswith("}\n") for piece in pieces)


def test_facts_cannot_replace_event_level_or_time(written: io.StringIO) -> None:
    log.warning(LogEvent.DISK_LOW, event=VALUE, level=VALUE, timestamp=VALUE, frames=VALUE)
    (line,) = lines(written)
    assert (line["event"], line["dropped"]) == ("disk.low", 3)
    assert VALUE not in written.getvalue()


def test_less_than_the_level_asked_for_is_not_written(written: io.StringIO) -> None:
    log.debug(LogEvent.FOLDER_SCANNED, files=1)
    assert written.getvalue() == ""


def test_an_exception_leaves_its_places_and_classes_but_not_its_words(
    written: io.StringIO,
) -> None:
    try:
        try:
            int(VALUE)
        except ValueError as error:
            raise RuntimeError(VALUE) from error
    except RuntimeError as error:
        log.bug(error, series_key=VALUE)
    (line,) = lines(written)
    frames = line["frames"]
    assert isinstance(frames, list)
    assert (line["event"], line["error"]) == ("bug", "RuntimeError")
    assert frames[1] == "ValueError"
    assert frames[-1] == "RuntimeError"
    assert "test_log.py" in frames[0]
    assert VALUE not in written.getvalue()


def test_what_libraries_log_and_warn_leaves_its_place_only(written: io.StringIO) -> None:
    logging.getLogger("sqlalchemy.pool").error("peer %s", VALUE)
    logging.getLogger("watchdog.observers").warning(VALUE, exc_info=ValueError(VALUE))
    logging.getLogger("alembic.runtime").info(VALUE)
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.warn(VALUE, UserWarning, stacklevel=1)
    assert [(line["event"], line["level"], line["logger"]) for line in lines(written)] == [
        ("library.warned", "error", "sqlalchemy.pool"),
        ("library.warned", "warning", "watchdog.observers"),
        ("library.warned", "warning", "py.warnings"),
    ]
    assert VALUE not in written.getvalue()


def test_a_library_that_repeats_itself_is_heard_now_and_then(written: io.StringIO) -> None:
    for _ in range(LIBRARY_REPEATS + 1):
        logging.getLogger("pydicom").warning(VALUE)
    assert [line["count"] for line in lines(written)] == [1, LIBRARY_REPEATS + 1]


def test_a_library_with_too_many_places_is_heard_no_more(written: io.StringIO) -> None:
    logger = logging.getLogger("pydicom")
    for number in range(LIBRARY_PLACES_MAX + 5):
        logger.handle(
            logging.LogRecord("pydicom", logging.WARNING, "a.py", number, VALUE, None, None)
        )
    assert len(lines(written)) == LIBRARY_PLACES_MAX


def test_uncaught_exceptions_of_any_thread_are_logged_without_their_words(
    written: io.StringIO,
) -> None:
    thread = threading.Thread(target=int, args=(VALUE,))
    thread.start()
    thread.join()
    try:
        int(VALUE)
    except ValueError as error:
        sys.excepthook(ValueError, error, error.__traceback__)
    assert [line["error"] for line in lines(written)] == ["ValueError", "ValueError"]
    assert VALUE not in written.getvalue()


def test_an_interrupt_by_the_keyboard_is_no_bug(
    written: io.StringIO, capsys: pytest.CaptureFixture[str]
) -> None:
    sys.excepthook(KeyboardInterrupt, KeyboardInterrupt(), None)
    assert written.getvalue() == ""
    assert "KeyboardInterrupt" in capsys.readouterr().err


def test_before_the_start_warnings_go_through_the_same_filter(
    capsys: pytest.CaptureFixture[str],
) -> None:
    telemetry.stop()
    log.info(LogEvent.SERVICE_STARTED)
    log.error(LogEvent.SERVICE_REFUSED, reason=VALUE, patient=VALUE)
    captured = capsys.readouterr()
    assert captured.out == ""
    assert json.loads(captured.err)["event"] == "service.refused"
    assert VALUE not in captured.err


def test_a_log_that_cannot_be_written_stops_nothing(tmp_path: Path) -> None:
    assert tmp_path.is_dir()
    with Path("/dev/full").open("w", buffering=1, encoding="utf-8") as full:
        telemetry.start("info", "json", Pseudonyms(), full)
        log.error(LogEvent.DISK_LOW, free_bytes=0)
        telemetry.stop()
        with pytest.raises(OSError, match="No space"):
            full.flush()
        os.dup2(os.open(os.devnull, os.O_WRONLY), full.fileno())


def test_the_console_shows_the_same_facts_as_text() -> None:
    stream = io.StringIO()
    telemetry.start("debug", "console", Pseudonyms(), stream)
    log.debug(LogEvent.FOLDER_SCANNED, files=7, patient=VALUE)
    telemetry.stop()
    assert re.search(r"folder\.scanned .*files=7", stream.getvalue())
    assert VALUE not in stream.getvalue()


def test_lines_for_the_journal_begin_with_their_priority(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with (tmp_path / "journal").open("w+", encoding="utf-8") as journal:
        status = os.fstat(journal.fileno())
        monkeypatch.setenv("JOURNAL_STREAM", f"{status.st_dev}:{status.st_ino}")
        telemetry.start("info", "auto", Pseudonyms(), journal)
        log.error(LogEvent.DISK_LOW)
        log.info(LogEvent.DISK_RECOVERED)
        telemetry.stop()
        journal.seek(0)
        assert [line[:4] for line in journal] == ["<3>{", "<6>{"]


def test_every_event_has_a_name_of_its_own_in_two_words() -> None:
    names = [event.value for event in LogEvent]
    assert len(names) == len(set(names))
    assert all(re.fullmatch(r"[a-z]+\.[a-z]+|bug", name) for name in names)
