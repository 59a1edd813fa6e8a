"""How long predictions take and how much memory the inference process needs. Prints, never asserts.

    python tests/bench/inference.py [--models DIR]

Drawn CT slices of 512 x 512. The time after decoding is the processor time of one thread in this
process; the whole, with sending and decoding, is the time on the clock through the child.
"""

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from time import monotonic, process_time
from typing import Final

from attrs import evolve

# As in the child: a second thread that waits would be counted as work. Before numpy is imported.
os.environ |= {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}

from qa_daemon.config.settings import WorkerSettings
from qa_daemon.demo.phantom import CtPlan, ct_series, part10
from qa_daemon.dicom.header import read_instance
from qa_daemon.limits import Limits
from qa_daemon.pipeline.engine import DEFAULT_TARGETS
from qa_daemon.pixels.decode import Frame, decode_frame
from qa_daemon.pixels.image import Image, read_image
from qa_daemon.predict import child
from qa_daemon.predict.catalog import Catalog, ModelCard, load_catalog
from qa_daemon.predict.client import Predictor, Request
from qa_daemon.predict.interpreter import Interpreter
from qa_daemon.predict.questions import TABLE_FRAMES_MAX
from qa_daemon.records.prediction import TARGETS
from qa_daemon.series.assemble import assemble

MODELS: Final = Path(__file__).resolve().parents[2] / "models"
PLAN: Final = CtPlan(slices=200, rows=512, columns=512, pixel_spacing_mm=(0.8, 0.8))
SAMPLED: Final = 10
REPEATS: Final = 5
LIMITS: Final = Limits()


def main() -> None:
    """Draw a series, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--models", type=Path, default=MODELS, metavar="DIR")
    catalog = load_catalog(parser.parse_args().models)
    contents = [part10(data_set) for data_set in ct_series(PLAN)]
    say(f"models: {', '.join(sorted(card.name for card in catalog.cards.values()))}")
    say(f"after decoding, processor time of one thread, best of {REPEATS}")
    decoded = [_decoded(content) for content in contents]
    models, _ = child.loaded(tuple(catalog.cards.values()))
    sampled = decoded[SAMPLED // 2 :: PLAN.slices // SAMPLED]
    for frames, tables, bound in ((sampled, TABLE_FRAMES_MAX, 50), (decoded, 0, 800)):
        taken = min(_looked(frames, models, tables) for _ in range(REPEATS))
        say(f"  {len(frames):3} slices: {taken * 1000:6.0f} ms (bound {bound} ms)")
    say("through the child, clock")
    _through_child(catalog, contents)


def say(line: str) -> None:
    """Print at once: some lines take seconds to come."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def _decoded(content: bytes) -> tuple[Image, Frame]:
    image = read_image(content, LIMITS)
    return image, decode_frame(image, 1)


def _looked(
    frames: Sequence[tuple[Image, Frame]],
    models: dict[str, Interpreter],
    tables: int,
) -> float:
    """Return what the default models take, the table sought in as many of the frames."""
    slots = [card.name for card in (model.card for model in models.values()) if _is_asked(card)]
    head = {"models": slots, "modality": "CT"}
    begun = process_time()
    for at, (image, frame) in enumerate(frames):
        child._seen(image, frame, head | {"table": at < tables}, models)
    return process_time() - begun


def _is_asked(card: ModelCard) -> bool:
    """Whether an axial series is shown to it: a target may have another model for other planes."""
    return card.target in DEFAULT_TARGETS and "axial" in card.planes


def _through_child(catalog: Catalog, contents: Sequence[bytes]) -> None:
    instances = [
        read_instance(content, LIMITS, source=str(at)) for at, content in enumerate(contents)
    ]
    series = assemble(instances)
    worker = WorkerSettings(slices_max=SAMPLED, decode_deadline_s=60)
    asked = Request(DEFAULT_TARGETS)
    with Predictor(catalog, worker, LIMITS) as predictor:

        def ask(request: Request) -> Callable[[], object]:
            return lambda: predictor.infer(series, lambda at: contents[int(at)], request)

        say(f"  start and first answer: {_clock(ask(asked)):6.0f} ms (ready in under 1000 ms)")
        for name, request in (
            ("default predictions", asked),
            ("every target", evolve(asked, targets=TARGETS)),
            ("default, --per-instance", evolve(asked, per_instance=True)),
        ):
            taken = min(_clock(ask(request)) for _ in range(3))
            say(f"  {name}: {taken:.0f} ms")
        pid = predictor.child_pid
        status = Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines()
        for line in status:
            if line.startswith(("VmHWM", "VmRSS")):
                say(f"  {line}")


def _clock(act: Callable[[], object]) -> float:
    begun = monotonic()
    act()
    return (monotonic() - begun) * 1000


if __name__ == "__main__":
    main()
