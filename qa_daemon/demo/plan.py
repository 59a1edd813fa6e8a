"""What the demo sends: pictures as published, copies made wrong on purpose, a drawn series."""

import warnings
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path
from typing import Final

import numpy as np
from attrs import frozen
from numpy.typing import NDArray
from pydicom import dcmread
from pydicom.data import get_testdata_file
from pydicom.dataset import Dataset
from pydicom.uid import ExplicitVRLittleEndian, generate_uid

from qa_daemon.demo.phantom import CtPlan, ct_series, part10
from qa_daemon.errors import ConfigurationError
from qa_daemon.limits import Limits
from qa_daemon.pixels.decode import decode_frames
from qa_daemon.records.finding import Topic

PHANTOM: Final = "drawn phantom"
ABDOMEN_CT: Final = "explicit_VR-UN.dcm"
ABDOMEN_MR: Final = "examples_overlay.dcm"
HEAD_CT: Final = "693_UNCR.dcm"
TILTED_HEAD_CT: Final = "J2K_pixelrep_mismatch.dcm"
CHEST_CR: Final = "RG1_UNCR.dcm"
#: What the pictures show, in words for people.
PICTURES: Final = {
    ABDOMEN_CT: "CT abdomen",
    ABDOMEN_MR: "MR abdomen",
    HEAD_CT: "CT head",
    TILTED_HEAD_CT: "CT head, tilted",
    CHEST_CR: "Chest radiograph",
    PHANTOM: "CT series, synthetic",
}


@frozen
class Sending:
    """One series of the demo.

    Attributes
    ----------
    source
        File of the packages, or `PHANTOM`.
    done_to_it
        What was made wrong on purpose, in words; "as published" or "as drawn" if nothing was.
    objects
        Whole Part 10 files.
    expected
        Topics that must be found above info; empty for clean ones, where nothing above info may.
    by_folder
        Through the watched folder rather than by C-STORE.
    """

    source: str
    done_to_it: str
    objects: tuple[bytes, ...]
    study_instance_uid: str
    series_instance_uid: str
    expected: frozenset[Topic]
    by_folder: bool

    @property
    def is_synthetic(self) -> bool:
        """Whether nobody was ever in this picture."""
        return self.source == PHANTOM

    @property
    def picture(self) -> str:
        """What it shows."""
        return PICTURES[self.source]


Edit = Callable[[Dataset], None]


def sendings() -> tuple[Sending, ...]:
    """Return everything that the demo sends, every second one through the folder.

    Raises
    ------
    ConfigurationError
        If the pictures are not installed.
    """
    with warnings.catch_warnings():
        # The published files have quirks of which pydicom warns; they are part of the demo.
        warnings.simplefilter("ignore")
        planned = (*_published(), *_planted(), *_drawn())
    return tuple(Sending(*each, by_folder=bool(number % 2)) for number, each in enumerate(planned))


_Planned = tuple[str, str, tuple[bytes, ...], str, str, frozenset[Topic]]


def _published() -> Iterator[_Planned]:
    for name in (ABDOMEN_CT, ABDOMEN_MR, HEAD_CT, CHEST_CR):
        path = _path(name)
        data_set = dcmread(path, stop_before_pixels=True)
        yield (
            name,
            "as published",
            (path.read_bytes(),),
            str(data_set.StudyInstanceUID),
            str(data_set.SeriesInstanceUID),
            frozenset(),
        )


def _planted() -> Iterator[_Planned]:
    yield _wrong(ABDOMEN_CT, "pixels turned by 180 degrees", _turned(2), Topic.ORIENTATION)
    yield _wrong(ABDOMEN_CT, "pixels mirrored left to right", _mirrored, Topic.ORIENTATION)
    yield _wrong(HEAD_CT, "pixels turned by 90 degrees", _turned(1), Topic.ORIENTATION)
    yield _wrong(TILTED_HEAD_CT, "pixels turned by 270 degrees", _turned(3), Topic.ORIENTATION)
    yield _wrong(ABDOMEN_MR, "pixels turned by 180 degrees", _turned(2), Topic.ORIENTATION)
    yield _wrong(
        HEAD_CT, "Body Part Examined set to KNEE", _set("BodyPartExamined", "KNEE"), Topic.BODY_PART
    )
    yield _wrong(
        ABDOMEN_MR,
        "Image Orientation not of unit length",
        _set("ImageOrientationPatient", ["1", "0", "0", "0", "0.5", "0"]),
        Topic.ORIENTATION,
    )
    yield from _two_accessions()


def _two_accessions() -> Iterator[_Planned]:
    study = generate_uid(entropy_srcs=["qa-daemon demo", "two accessions"])
    for number, name in enumerate((HEAD_CT, HEAD_CT)):
        yield _wrong(
            name,
            f"one study, Accession Number DEMO{number + 1} here",
            _both(_set("AccessionNumber", f"DEMO{number + 1}"), _set("StudyInstanceUID", study)),
            Topic.ORDER,
        )


def _drawn() -> Iterator[_Planned]:
    yield _phantom("as drawn", "clean", lambda slices: slices, None)
    yield _phantom(
        "three slices left out", "gap", lambda slices: slices[:9] + slices[12:], Topic.COMPLETENESS
    )
    yield _phantom(
        "one slice of another orientation", "foreign", _with_a_foreign_slice, Topic.GEOMETRY
    )


def _phantom(
    done_to_it: str, key: str, edit: Callable[[list[Dataset]], list[Dataset]], topic: Topic | None
) -> _Planned:
    slices = edit(list(ct_series(CtPlan(key=f"demo-{key}"))))
    return (
        PHANTOM,
        done_to_it,
        tuple(part10(each) for each in slices),  # type: ignore[arg-type]  # they are FileDatasets
        str(slices[0].StudyInstanceUID),
        str(slices[0].SeriesInstanceUID),
        frozenset() if topic is None else frozenset({topic}),
    )


def _with_a_foreign_slice(slices: list[Dataset]) -> list[Dataset]:
    slices[7].ImageOrientationPatient = ["0", "1", "0", "0", "0", "-1"]
    return slices


def _wrong(name: str, words: str, edit: Edit, topic: Topic) -> _Planned:
    data_set = _native(_path(name))
    for keyword in ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID"):
        data_set[keyword].value = generate_uid(
            entropy_srcs=["qa-daemon demo", name, words, keyword]
        )
    edit(data_set)
    data_set.file_meta.MediaStorageSOPInstanceUID = data_set.SOPInstanceUID
    data_set.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    file = BytesIO()
    data_set.save_as(file, enforce_file_format=True)
    return (
        name,
        words,
        (file.getvalue(),),
        str(data_set.StudyInstanceUID),
        str(data_set.SeriesInstanceUID),
        frozenset({topic}),
    )


def _set(keyword: str, value: object) -> Edit:
    def edit(data_set: Dataset) -> None:
        setattr(data_set, keyword, value)

    return edit


def _both(first: Edit, second: Edit) -> Edit:
    def edit(data_set: Dataset) -> None:
        first(data_set)
        second(data_set)

    return edit


def _turned(quarter_turns: int) -> Edit:
    def edit(data_set: Dataset) -> None:
        _rewrite(data_set, np.rot90(_stored(data_set), quarter_turns))

    return edit


def _mirrored(data_set: Dataset) -> None:
    _rewrite(data_set, np.fliplr(_stored(data_set)))


def _native(path: Path) -> Dataset:
    """Read a picture, its pixels no longer encapsulated."""
    content = path.read_bytes()
    data_set = dcmread(BytesIO(content))
    samples = next(decode_frames(content, [1], Limits())).samples
    is_signed = samples.dtype.kind == "i"
    data_set.PixelRepresentation = int(is_signed)
    data_set.BitsAllocated = 16
    data_set.PixelData = samples.astype("<i2" if is_signed else "<u2").tobytes()
    data_set["PixelData"].VR = "OW"
    data_set["PixelData"].is_undefined_length = False
    return data_set


def _stored(data_set: Dataset) -> NDArray[np.uint16]:
    cells = np.frombuffer(data_set.PixelData, "<u2", data_set.Rows * data_set.Columns)
    return cells.reshape(data_set.Rows, data_set.Columns)


def _rewrite(data_set: Dataset, picture: NDArray[np.uint16]) -> None:
    data_set.Rows, data_set.Columns = picture.shape
    data_set.PixelData = np.ascontiguousarray(picture).tobytes()


def _path(name: str) -> Path:
    path = get_testdata_file(name, download=False)
    if path is None:
        raise ConfigurationError(
            f"the demo's picture {name} is not installed; run: pip install 'qa-daemon[demo]'"
        )
    return Path(str(path))
