"""Pictures of a site, read by the service's own decoder; each is tried once before any training."""

from functools import partial
from pathlib import Path
from typing import Final

from qa_daemon.dicom.header import read_instance
from qa_daemon.errors import InputError
from qa_daemon.limits import Limits
from qa_daemon.pixels.decode import decode_frame
from qa_daemon.pixels.grayscale import exposed_values, grey_values, pixel_spacing
from qa_daemon.pixels.image import read_image
from qa_daemon.predict.prepare import View
from qa_daemon.records.element import first_text
from qa_daemon.training.recipe import E, Kind, Origin, OwnPicture, Recipe
from qa_daemon.training.site.table import PATIENTS_MIN, TABLE, Decision, Row, refuse, rows_of

LIMITS: Final = Limits()
#: What a person contradicted, or judged without seeing the answer, weighs as much as four labels.
WEIGHTS: Final = {
    Decision.BY_HAND: 1,
    Decision.ACCEPTED: 1,
    Decision.REJECTED: 4,
    Decision.AUDIT: 4,
}
#: As the card names their licence.
LICENCE: Final = "own"


def is_site_folder(folder: Path) -> bool:
    """Whether a folder holds a site's own pictures."""
    return (folder / TABLE).is_file()


def own_examples(
    recipe: Recipe[E], folder: Path, patients_min: int = PATIENTS_MIN
) -> tuple[E, ...]:
    """Return the labelled pictures of a site's folder as examples of a target.

    Raises
    ------
    InputError
        If the table is refused, a file cannot be decoded, or the target takes no such pictures.
    """
    if recipe.own is None:
        raise InputError(f"{recipe.target}: is not trained on own pictures")
    rows = rows_of(folder, recipe.labels, patients_min)
    examples: list[E] = []
    faults: list[str] = []
    for row in rows:
        try:
            examples.append(_example(recipe, folder, row))
        except (InputError, OSError) as error:
            faults.append(f"{row.file}: {_reason(error)}")
    refuse(faults)
    return tuple(examples)


def _example(recipe: Recipe[E], folder: Path, row: Row) -> E:
    """Return one picture as an example; it is decoded here, to find out whether it can be."""
    assert recipe.own is not None
    modality = _view(folder / row.file, row.frame).modality
    if modality not in recipe.modalities:
        wanted = ", ".join(recipe.modalities)
        raise InputError(f"Modality is {modality or 'missing'}; {wanted} expected")
    if not row.labels and recipe.kind is not Kind.MULTI:
        raise InputError("no label; one is needed")
    return recipe.own(_picture(folder, row, modality))


def _picture(folder: Path, row: Row, modality: str) -> OwnPicture:
    return OwnPicture(
        id=f"{row.file}#{row.frame}",
        view=partial(_view, folder / row.file, row.frame),
        labels=row.labels,
        patient=row.patient,
        source=row.source,
        licence=LICENCE,
        modality=modality,
        series=row.series,
        origin=Origin.OWN_ACCEPTED if row.decision is Decision.ACCEPTED else Origin.OWN,
        weight=WEIGHTS[row.decision],
    )


def _view(path: Path, number: int) -> View:
    content = path.read_bytes()
    image = read_image(content, LIMITS)
    frame = decode_frame(image, number)
    return View(
        grey_values(image, frame),
        first_text(read_instance(content, LIMITS).elements, "Modality"),
        pixel_spacing(image, number),
        partial(exposed_values, image, frame),
    )


def _reason(error: Exception) -> str:
    if isinstance(error, OSError):
        return error.strerror or type(error).__name__
    return str(error)
