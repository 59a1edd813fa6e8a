"""`qa-daemon train` and `evaluate`: options in, a package or a report out."""

import argparse
import contextlib
import os
import sys
from collections.abc import Callable, Iterator
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeRemainingColumn,
)

from qa_daemon.config.packs import shipped
from qa_daemon.errors import ConfigurationError, InputError

#: Where nobody looks at a bar, one line every so many steps.
LINE_STEPS = 100
NEEDS = {"tensorflow": "TensorFlow", "matplotlib": "matplotlib"}


def train(options: argparse.Namespace) -> int:
    """Train one model and write its package."""
    require_training()
    from qa_daemon.training.make import Order, make  # noqa: PLC0415  loads TensorFlow
    from qa_daemon.training.recipe import Licences  # noqa: PLC0415
    from qa_daemon.training.recipes import recipe_of  # noqa: PLC0415

    recipe = recipe_of(options.target)
    with progress() as told:
        folder = make(
            recipe,
            Order(
                data=options.data,
                extra=tuple(options.extra),
                out=writable(options.out),
                licences=Licences(options.licences),
                version=options.package_version,
                steps=options.steps,
                is_final=options.final,
                beside=shipped("models"),
                progress=told,
            ),
        )
    print(folder)
    return 0


def evaluate(options: argparse.Namespace) -> int:
    """Measure a recipe and its package beside plain baselines, and write the report."""
    require_training()
    from qa_daemon.training.evaluation.evaluate import (  # noqa: PLC0415  loads TensorFlow
        Question,
        evaluate,
    )
    from qa_daemon.training.make import Order  # noqa: PLC0415
    from qa_daemon.training.recipe import Licences  # noqa: PLC0415
    from qa_daemon.training.recipes import recipe_of  # noqa: PLC0415

    recipe = recipe_of(options.target)
    folder = options.out / "quick" if options.quick else options.out
    with progress() as told:
        report = evaluate(
            recipe,
            Question(
                order=Order(
                    data=options.data,
                    extra=tuple(options.extra),
                    out=writable(folder),
                    licences=Licences(options.licences),
                    steps=options.steps,
                    beside=shipped("models"),
                    progress=told,
                ),
                package=options.model or _shipped_package(options.target, options.licences),
                is_quick=options.quick,
            ),
        )
    print(report)
    return 0


def _shipped_package(target: str, licences: str) -> Path | None:
    """Return the folder of the shipped package of a target, None where there is none."""
    from qa_daemon.predict.catalog import Wanted, load_catalog  # noqa: PLC0415  loads numpy

    card = load_catalog(shipped("models"), Wanted(licences=licences)).of(target)
    return card.golden.parent.parent if card else None


def require_training() -> None:
    """Refuse to begin where the libraries are missing, and keep those that are there quiet.

    Raises
    ------
    ConfigurationError
        If the extra is not installed.
    """
    missing = [name for library, name in NEEDS.items() if find_spec(library) is None]
    if missing:
        raise ConfigurationError(
            f"{' and '.join(missing)} not installed; training needs: pip install '.[train]'"
        )
    # Set before it is imported: 2 leaves out what is not an error.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    with _standard_error_closed():
        import_module("tensorflow")


@contextlib.contextmanager
def _standard_error_closed() -> Iterator[None]:
    """Keep the greetings of native libraries, which no setting reaches, from the screen."""
    sys.stderr.flush()
    kept = os.dup(2)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)


def writable(folder: Path) -> Path:
    """Return the folder, made if it is not there.

    Raises
    ------
    InputError
        If it cannot be written to.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        part = folder / ".write"
        part.touch()
        part.unlink()
    except OSError as error:
        raise InputError(f"{folder}: cannot be written to ({error.strerror})") from error
    return folder


@contextlib.contextmanager
def progress() -> Iterator[Callable[[str], Callable[[int, int, float], None]]]:
    """Show how far each fit is: bars on a terminal, else a line now and then."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield _lines
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("loss {task.fields[loss]:.4f}"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console) as bars:

        def start(what: str) -> Callable[[int, int, float], None]:
            task = bars.add_task(what, total=None, loss=0.0)

            def told(done: int, steps: int, loss: float) -> None:
                bars.update(task, completed=done, total=steps, loss=loss)

            return told

        yield start


def _lines(what: str) -> Callable[[int, int, float], None]:
    def told(done: int, steps: int, loss: float) -> None:
        if done % LINE_STEPS == 0 or done == steps:
            print(f"{what}: step {done} of {steps}, loss {loss:.4f}", file=sys.stderr, flush=True)

    return told
