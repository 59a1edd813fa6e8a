"""Pictures are drawn once a series is judged; one that cannot be costs no finding."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import pytest
from attrs import define, evolve
from pydicom.dataset import FileDataset
from pydicom.uid import JPEG2000Lossless

from qa_daemon.config.settings import PreviewSettings
from qa_daemon.demo.phantom import CtPlan, ct_series, part10
from qa_daemon.dicom.part10 import data_set_offset
from qa_daemon.limits import MIB
from qa_daemon.pipeline.previews.draw import GAVE_WAY, GIVEN_UP, Drawing, sweep
from qa_daemon.pipeline.worker import Worker
from qa_daemon.records.preview import Previews
from qa_daemon.records.receipt import Envelope
from qa_daemon.store import series_rows
from qa_daemon.store.audit.entries import Operator
from qa_daemon.store.previews import preview_rows
from qa_daemon.store.series_rows import SeriesFilter, SeriesRow
from tests.faults.conftest import eventually
from tests.pipeline.conftest import Works

#: A patient who lies on the side though tagged supine: waits for a person.
FLIPPED: Final = CtPlan(key="flipped", slices=12, rows=64, columns=64,
                        pixel_spacing_mm=(6.0, 6.0), turned=2)  # fmt: skip
CLEAN: Final = evolve(FLIPPED, key="clean", turned=0)


@define
class Studio:
    """A worker and what it draws."""

    works: Works
    worker: Worker

    def receive(self, objects: Sequence[FileDataset]) -> None:
        for each in objects:
            content = part10(each)
            uid = str(each.SOPInstanceUID)
            envelope = Envelope(
                received_at=datetime.now(UTC),
                sop_instance_uid=uid,
                data_set_offset=data_set_offset(content),
            )
            writer = self.works.service.spool.begin(envelope)
            writer.write(content)
            ticket = self.works.service.index.submit(writer.commit(), envelope)
            assert ticket.wait(30)

    def rows(self) -> dict[str, SeriesRow]:
        rows = series_rows.series_list(self.works.service.store, SeriesFilter(), 100)
        return {row.series_key: row for row in rows}

    def drawn(self) -> dict[str, Previews]:
        """Work until everything is judged and drawn; return the pictures by series."""

        def done() -> bool:
            self.worker.turn()
            states = {row.state.value for row in self.rows().values()}
            due = preview_rows.next_due(self.works.service.store)
            return states <= {"waiting", "clean", "quarantined"} and due is None

        eventually(done, "everything is drawn")
        store = self.works.service.store
        found = {key: preview_rows.previews_of(store, key) for key in self.rows()}
        return {key: each for key, each in found.items() if each is not None}

    @property
    def folder(self) -> Path:
        return self.works.settings.preview_folder

    def files(self) -> set[str]:
        return {path.name for path in self.folder.rglob("*.webp")}


@pytest.fixture
def studio(works: Works) -> Studio:
    return Studio(works, works.worker())


def names(previews: Previews) -> set[str]:
    return {
        name
        for picture in previews.pictures
        for shown in picture.shown
        for name in (shown.picture, shown.thumbnail)
    }


def test_a_flagged_series_is_drawn_whole_and_its_files_are_those_of_the_row(
    studio: Studio,
) -> None:
    studio.receive(ct_series(FLIPPED))
    (drawn,) = studio.drawn().values()
    assert drawn.reason == ""
    assert drawn.frame_count == 12
    assert [each.position for each in drawn.pictures] == list(range(1, 13))
    assert sum(each.tells for each in drawn.pictures) == 10
    assert {len(each.shown) for each in drawn.pictures} == {2}
    assert names(drawn) == studio.files()
    assert {path.stat().st_mode & 0o777 for path in studio.folder.rglob("*.webp")} == {0o640}


def test_a_stack_is_drawn_up_to_its_bound(studio: Studio) -> None:
    few = evolve(studio.worker.settings, previews=PreviewSettings(pictures_max=4))
    studio.worker.settings = few
    studio.receive(ct_series(FLIPPED))
    (drawn,) = studio.drawn().values()
    assert len(drawn.pictures) == 4


def test_what_cannot_be_decoded_says_why_and_the_finding_stands(studio: Studio) -> None:
    objects = ct_series(evolve(FLIPPED, slices=2))
    for each in objects:
        each.file_meta.TransferSyntaxUID = JPEG2000Lossless
        each.PixelData = b"\xfe\xff\x00\xe0\0\0\0\0\xfe\xff\x00\xe0\x04\0\0\0abcd"
        each["PixelData"].VR = "OB"
        each["PixelData"].is_undefined_length = True
    studio.receive(objects)
    (drawn,) = studio.drawn().values()
    assert drawn.pictures == ()
    assert "JPEG 2000" in drawn.reason
    assert {row.state.value for row in studio.rows().values()} == {"waiting"}


def test_a_bug_in_drawing_is_told_and_the_next_series_is_drawn(
    studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    studio.receive(ct_series(evolve(FLIPPED, slices=2)))

    def breaking(*_: object) -> None:
        raise ZeroDivisionError

    with monkeypatch.context() as broken:
        broken.setattr("qa_daemon.pipeline.previews.draw.wanted_frames", breaking)
        (drawn,) = studio.drawn().values()
    assert "internal error" in drawn.reason
    preview_rows.draw_again(studio.works.service.store)
    (again,) = studio.drawn().values()
    assert len(again.pictures) == 2


def test_a_series_over_which_workers_die_is_given_up(studio: Studio) -> None:
    studio.receive(ct_series(evolve(FLIPPED, slices=2)))
    studio.drawn()
    store = studio.works.service.store
    preview_rows.draw_again(store)
    for _ in range(studio.works.settings.worker.attempts_max):
        due = preview_rows.next_due(store)
        assert due is not None
        preview_rows.begin(store, due, datetime.now(UTC))
    (drawn,) = studio.drawn().values()
    assert drawn.reason == GIVEN_UP


def test_the_oldest_pictures_give_way_and_say_so(studio: Studio) -> None:
    studio.receive(ct_series(FLIPPED))
    studio.receive(ct_series(CLEAN))
    before = studio.drawn()
    store = studio.works.service.store
    oldest = preview_rows.oldest(store, besides="")
    assert oldest is not None
    total = preview_rows.bytes_kept(store)
    assert total == sum(path.stat().st_size for path in studio.folder.rglob("*.webp"))
    assert total < MIB
    settings = evolve(studio.works.settings, previews=PreviewSettings(bytes_max=MIB))
    object.__setattr__(settings.previews, "bytes_max", total - 1)  # no site may want so little
    drawing = Drawing(studio.worker.bench, settings)
    newest = next(key for key in before if key != oldest)
    preview_rows.draw_again(store, newest)
    assert drawing.turn()
    gone = preview_rows.previews_of(store, oldest)
    assert gone == Previews(reason=GAVE_WAY)
    assert not (studio.folder / oldest).exists()
    assert (studio.folder / newest).exists()


def test_pictures_of_a_series_that_is_gone_are_swept_away(studio: Studio) -> None:
    studio.receive(ct_series(evolve(FLIPPED, slices=2)))
    (key,) = studio.drawn()
    store = studio.works.service.store
    series_rows.remove_series(store, key, Operator("test", datetime.now(UTC)))
    assert (studio.folder / key).exists()
    sweep(store, Drawing(studio.worker.bench, studio.works.settings).folder)
    assert not (studio.folder / key).exists()
