"""Draw one judged series: read, ask the inference child, write files, commit one row."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from itertools import groupby
from typing import Final

from attrs import frozen

from qa_daemon.config.settings import Settings
from qa_daemon.errors import ConfigurationError, InputError, RetryableError
from qa_daemon.pipeline.previews.choose import Wanted, frame_count, wanted_frames
from qa_daemon.pipeline.steps import Bench, Interrupted
from qa_daemon.pixels.previews.shades import thumbnail
from qa_daemon.pixels.previews.webp import encoded, file_name
from qa_daemon.predict.drawing.drawn import FRAMES_PER_QUESTION, Drawn
from qa_daemon.records.finding import above_info
from qa_daemon.records.preview import Picture, Previews, Shown
from qa_daemon.records.series import Series
from qa_daemon.series.assemble import assemble
from qa_daemon.store import instance_rows, result_rows
from qa_daemon.store.database import Store
from qa_daemon.store.previews import preview_rows
from qa_daemon.store.previews.folder import PreviewFolder
from qa_daemon.store.previews.preview_rows import Due
from qa_daemon.telemetry.events import LogEvent
from qa_daemon.telemetry.log import log

#: Objects that failed before the rest is not tried: each may cost its whole deadline.
FAILURES_MAX: Final = 3
#: What a series says whose pictures gave way to newer ones.
GAVE_WAY: Final = "removed to make room for newer ones; `qa-daemon series draw` draws it again"
NO_PIXELS: Final = "the series holds no pixels"
GIVEN_UP: Final = "drawing failed several times; the log says why"


@frozen
class _Part:
    """Pictures of one question, and what went wrong."""

    pictures: tuple[Picture, ...] = ()
    reason: str = ""


def sweep(store: Store, folder: PreviewFolder) -> None:
    """Remove the pictures of series that are gone: whoever deletes may die in between."""
    folder.remove_others(preview_rows.known_keys(store))


@frozen
class Drawing:
    """Draws what is due, one series at a time."""

    bench: Bench
    settings: Settings

    @property
    def folder(self) -> PreviewFolder:
        """Where the pictures lie."""
        return PreviewFolder(self.settings.preview_folder)

    def turn(self) -> bool:
        """Draw the series that is due next; False if none is.

        Raises
        ------
        RetryableError
            If store, spool or folder fail; the series is tried again, a few times.
        """
        store = self.bench.store
        due = preview_rows.next_due(store)
        if due is None:
            return False
        now = datetime.now(UTC)
        if due.attempts >= self.settings.worker.attempts_max:
            preview_rows.save(store, due, Previews(reason=GIVEN_UP), 0, now)
            return True
        preview_rows.begin(store, due, now)
        drawn, byte_count = self._of_series(due)
        preview_rows.save(store, due, drawn, byte_count, datetime.now(UTC))
        log.info(
            LogEvent.SERIES_DRAWN,
            series_key=due.series_key,
            revision=due.revision,
            count=len(drawn.pictures),
            duration_s=(datetime.now(UTC) - now).total_seconds(),
        )
        self._make_room(due.series_key)
        return True

    def _of_series(self, due: Due) -> tuple[Previews, int]:
        """Return the pictures of a series. A bug in drawing is told, and no more than that."""
        try:
            return self._drawn(due)
        except (RetryableError, Interrupted, ConfigurationError):
            raise
        except InputError as error:
            return Previews(reason=str(error)), 0
        except Exception as error:  # noqa: BLE001  what is wrong with a picture costs no finding
            log.bug(error, series_key=due.series_key)
            return Previews(reason="an internal error; the log says where"), 0

    def _drawn(self, due: Due) -> tuple[Previews, int]:
        instances = instance_rows.instances_of(self.bench.store, due.series_key, due.revision)
        if not instances:
            raise InputError("the series holds no instance that can be read")
        series = assemble(instances, due.revision)
        verdict = result_rows.verdict_of(self.bench.store, due.series_key, due.revision)
        found = () if verdict is None else above_info(verdict.findings)
        wanted = wanted_frames(
            series,
            found,
            self.settings.worker.slices_max,
            self.settings.previews.pictures_max if due.has_findings else 1,
        )
        parts = tuple(self._parts(series, due.series_key, wanted))
        pictures = tuple(picture for part in parts for picture in part.pictures)
        names = [name for each in pictures for name in _names(each)]
        byte_count = self.folder.keep_only(due.series_key, names)
        reason = next((part.reason for part in parts if part.reason), "")
        drawn = Previews(
            frame_count=frame_count(series),
            pictures=tuple(sorted(pictures, key=lambda each: each.position)),
            reason=reason or ("" if wanted else NO_PIXELS),
        )
        return drawn, byte_count

    def _parts(self, series: Series, key: str, wanted: Sequence[Wanted]) -> Iterator[_Part]:
        sources = {each.sop_instance_uid: each.source for each in series.instances}
        failures = 0
        by_object = sorted(wanted, key=lambda each: (each.at.sop_instance_uid, each.at.frame))
        for uid, group in groupby(by_object, key=lambda each: each.at.sop_instance_uid):
            frames = list(group)
            content = self.bench.read(sources[uid])
            for first in range(0, len(frames), FRAMES_PER_QUESTION):
                few = frames[first : first + FRAMES_PER_QUESTION]
                part = self._asked(content, few, series.modality, key)
                yield part
                failures += bool(part.reason)
                if failures >= FAILURES_MAX:
                    return

    def _asked(self, content: bytes, few: Sequence[Wanted], modality: str, key: str) -> _Part:
        numbers = [each.at.frame for each in few]
        drawn, reason = self.bench.engine.predictor.draw(content, numbers, modality)
        kept = (self._kept(each, frame, key) for each, frame in zip(few, drawn, strict=False))
        return _Part(tuple(kept), reason)

    def _kept(self, wanted: Wanted, drawn: Drawn, key: str) -> Picture:
        """Write the files of one frame."""
        shown = []
        for each in drawn.renderings:
            small = thumbnail(each.shades)
            names = [file_name(shades, each.window) for shades in (each.shades, small)]
            for name, shades in zip(names, (each.shades, small), strict=True):
                self.folder.write(key, name, encoded(shades))
            window = each.window
            shown.append(
                Shown(preset=each.preset, window=window, picture=names[0], thumbnail=names[1])
            )
        rows, columns = drawn.renderings[0].shades.shape
        return Picture(
            sop_instance_uid=wanted.at.sop_instance_uid,
            frame=wanted.at.frame,
            position=wanted.position,
            width=columns,
            height=rows,
            shown=tuple(shown),
            tells=wanted.tells,
        )

    def _make_room(self, newest: str) -> None:
        """Remove the oldest pictures until all keep to their bound."""
        store = self.bench.store
        while preview_rows.bytes_kept(store) > self.settings.previews.bytes_max:
            key = preview_rows.oldest(store, besides=newest)
            if key is None:
                return
            preview_rows.give_way(store, key, GAVE_WAY)
            self.folder.remove(key)


def _names(picture: Picture) -> Iterator[str]:
    for shown in picture.shown:
        yield shown.picture
        yield shown.thumbnail
