"""Series that lie in spool and store, and the worker and the delivery that move them on."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from attrs import define

from qa_daemon.config.settings import AssemblySettings, Settings, WorkerSettings
from qa_daemon.dicom.part10 import data_set_offset
from qa_daemon.pipeline.delivery import Delivery
from qa_daemon.pipeline.engine import Engine, engine
from qa_daemon.pipeline.steps import Bench
from qa_daemon.pipeline.worker import Worker
from qa_daemon.records.receipt import Envelope
from qa_daemon.store import series_rows
from qa_daemon.store.series_rows import SeriesFilter
from qa_daemon.telemetry import log as telemetry
from tests.faults.conftest import data_set
from tests.intake.conftest import Service, part10


@define
class Works:
    """Everything behind the receiver, without a process of its own."""

    service: Service
    settings: Settings
    engine: Engine

    def receive(self, series: str, count: int = 3) -> None:
        """Put a series where the receiver leaves it; its Patient Position is no term."""
        for number in range(1, count + 1):
            uid = f"{series}.{number}"
            wrong = data_set(series, number).replace(b"HFS", b"FSH")
            content = part10(wrong, uid)
            envelope = Envelope(
                received_at=datetime.now(UTC),
                sop_instance_uid=uid,
                data_set_offset=data_set_offset(content),
            )
            writer = self.service.spool.begin(envelope)
            writer.write(content)
            ticket = self.service.index.submit(writer.commit(), envelope)
            assert ticket.wait(30)

    def worker(self) -> Worker:
        bench = Bench(self.service.store, self.service.spool, self.engine)
        return Worker(bench, self.settings)

    def delivery(self) -> Delivery:
        return Delivery(self.service.store, self.settings, "0")

    def states(self) -> dict[str, str]:
        rows = series_rows.series_list(self.service.store, SeriesFilter(), 100)
        return {row.series_instance_uid: row.state.value for row in rows}

    def reports(self) -> list[str]:
        return sorted(path.name for path in self.settings.report_folder.rglob("*.txt"))


@pytest.fixture(scope="session")
def shared_engine() -> Iterator[Engine]:
    with engine(Settings()) as made:
        yield made


@pytest.fixture
def works(tmp_path: Path, shared_engine: Engine) -> Iterator[Works]:
    settings = Settings(
        state=tmp_path,
        assembly=AssemblySettings(quiet_s=0),
        worker=WorkerSettings(lease_s=0.1, attempts_max=2),
    )
    service = Service(tmp_path / "state")
    yield Works(service, settings, shared_engine)
    service.close()
    telemetry.stop()
