"""The schema is made, checked, and brought up to date on a filled database."""

import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import text

from qa_daemon.errors import ConfigurationError
from qa_daemon.records.inference import Inference
from qa_daemon.records.states import SuggestionState
from qa_daemon.store import instance_rows, result_rows, series_rows
from qa_daemon.store.audit.entries import Operator, audit_entries
from qa_daemon.store.database import Store, StoreDamaged
from qa_daemon.store.migrations import schema
from qa_daemon.store.migrations.everything import metadata
from qa_daemon.store.recording import record
from qa_daemon.store.result_rows import FindingFilter
from qa_daemon.store.series_rows import SeriesFilter

At = Callable[[float], datetime]
FILLED = Path(__file__).parent / "filled"


def test_the_migrations_lead_to_the_tables_that_the_code_speaks_of(store: Store) -> None:
    with store.reading() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []


def test_the_known_revisions_are_those_that_lie_there() -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(schema.__file__).parent))
    config.set_main_option("path_separator", "os")
    lying = ScriptDirectory.from_config(config).walk_revisions()
    assert [script.revision for script in lying][::-1] == list(schema.REVISIONS)


def test_an_empty_database_gets_its_schema_and_keeps_it(
    empty_url: str, sender: Any, at: At
) -> None:
    schema.prepare(empty_url)
    with Store(empty_url, 5.0) as store:
        record(store, sender.receipts(1), at(0))
    schema.prepare(empty_url)
    assert schema.upgrade(empty_url) == schema.REVISIONS[-1]
    with Store(empty_url, 5.0) as store:
        assert series_rows.counts(store).instances == 1


def test_nobody_else_may_read_the_database_or_its_journals(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/there/qa.sqlite"
    schema.prepare(url)
    with Store(url, 5.0) as store, store.writing() as connection:
        connection.execute(text("DELETE FROM series"))
        places = [tmp_path / "there", *(tmp_path / "there").iterdir()]
        assert len(places) == 4  # the folder, the database, its journal and the journal's index
        assert [place for place in places if place.stat().st_mode & 0o007] == []


def test_processes_that_start_together_make_one_schema(empty_url: str) -> None:
    with ThreadPoolExecutor(3) as pool:
        list(pool.map(schema.prepare, [empty_url] * 3))
    schema.prepare(empty_url)


@pytest.mark.parametrize("begin", range(len(schema.REVISIONS)))
def test_every_revision_is_brought_up_to_date_with_its_rows(
    empty_url: str, begin: int, sender: Any, at: At
) -> None:
    """Rows that the oldest revision could hold are there after the last."""
    _migrate_to(empty_url, schema.REVISIONS[begin])
    filled = FILLED / f"{schema.REVISIONS[begin]}.sql"
    with Store(empty_url, 5.0) as store, store.writing() as connection:
        for statement in filled.read_text(encoding="ascii").split(";\n"):
            if statement.strip():
                connection.exec_driver_sql(statement)
    schema.upgrade(empty_url)
    schema.prepare(empty_url)
    with Store(empty_url, 5.0) as store:
        (row,) = series_rows.series_list(store, SeriesFilter(), 10)
        assert row.series_instance_uid == "1.2.3.1"
        (kept,) = instance_rows.instances_of(store, row.series_key, 1)
        assert kept.sop_instance_uid == "1.2.3.1.1"
        (finding,) = result_rows.finding_list(store, FindingFilter(), 10)
        assert finding.state is SuggestionState.OPEN
        result = result_rows.result_of(store, row.series_key, 1)
        assert result is not None
        assert result.inference == Inference(table_side="top")
        assert instance_rows.refusals(store, 10)[0].rejection.reason == "not_dicom"
        assert audit_entries(store, 10)[0].who == "ana"
        (answer,) = record(store, [sender.receipt("1.2.3.1")], at(0))
        assert answer.revision == 1
        assert len(series_rows.remove_series(store, row.series_key, Operator("ana", at(1)))) == 2


def _migrate_to(url: str, revision: str) -> None:
    from alembic import command  # noqa: PLC0415  as the product does

    config = Config()
    config.set_main_option("script_location", str(Path(schema.__file__).parent))
    config.set_main_option("path_separator", "os")
    with Store(url, 5.0) as store, store.writing() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, revision)


def test_a_schema_of_a_newer_release_is_refused(url: str) -> None:
    try:
        put_revision(url, "9999")
        for use in (schema.prepare, schema.upgrade):
            with pytest.raises(ConfigurationError, match="newer release"):
                use(url)
    finally:
        put_revision(url, schema.REVISIONS[-1])


def test_an_older_schema_is_upgraded_only_when_told_to(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(schema, "REVISIONS", (*schema.REVISIONS, "9999"))
    with pytest.raises(ConfigurationError, match="qa-daemon db upgrade"):
        schema.prepare(url)


def put_revision(url: str, revision: str) -> None:
    with Store(url, 5.0) as store, store.writing() as connection:
        put = text("UPDATE alembic_version SET version_num = :revision")
        connection.execute(put, {"revision": revision})


def test_a_database_of_something_else_is_left_alone(empty_url: str) -> None:
    with Store(empty_url, 5.0) as store, store.writing() as connection:
        connection.execute(text("CREATE TABLE series (episode integer)"))
    for use in (schema.prepare, schema.upgrade):
        with pytest.raises(ConfigurationError, match="something else"):
            use(empty_url)


def test_the_folder_of_the_database_is_made(tmp_path: Path) -> None:
    schema.prepare(f"sqlite:///{tmp_path / 'state' / 'new' / 'qa.sqlite'}")
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(ConfigurationError, match="cannot be made"):
        schema.prepare(f"sqlite:///{tmp_path / 'file' / 'qa.sqlite'}")


def test_a_broken_database_is_set_aside_and_made_anew(tmp_path: Path, sender: Any, at: At) -> None:
    file = tmp_path / "qa.sqlite"
    url = f"sqlite:///{file}"
    assert schema.set_aside(url, at(0)) is None
    file.write_bytes(b"no database" * 1000)
    file.with_name("qa.sqlite-wal").write_bytes(b"its journal")
    with pytest.raises(StoreDamaged):
        schema.prepare(url)
    aside = schema.set_aside(url, at(0))
    assert aside == tmp_path / "qa.sqlite.before-rebuild-20260301T120000"
    assert aside.read_bytes() == b"no database" * 1000
    assert not file.with_name("qa.sqlite-wal").exists()
    schema.prepare(url)
    with Store(url, 5.0) as store:
        assert len(record(store, sender.receipts(2), at(0))) == 2


def test_a_postgresql_database_is_not_emptied_from_here(at: At) -> None:
    with pytest.raises(ConfigurationError, match="not emptied"):
        schema.set_aside("postgresql://h/d", at(0))


def test_a_start_on_a_current_schema_does_without_alembic(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'qa.sqlite'}"
    schema.prepare(url)
    script = (
        "import sys; from qa_daemon.store.migrations import schema; "
        f"schema.prepare({url!r}); print('alembic' in sys.modules)"
    )
    command = [sys.executable, "-c", script]
    said = subprocess.run(command, check=True, capture_output=True, text=True)  # noqa: S603  own text
    assert said.stdout == "False\n"
