"""Drawn patients: a body for CT series, a hand and a knee for radiographs.

Nothing here was measured on anybody. The body is a handful of solids in patient axes (LPS, mm),
so a slice of any position, plane and spacing shows the anatomy where it would truly lie; what is
wrong in a series is planted afterwards, on purpose, by its parameters. The demo and the tests
send these where they need a whole series.
"""

from collections.abc import Mapping
from io import BytesIO
from math import inf
from typing import Any, Final

import numpy as np
from attrs import field, frozen
from numpy.typing import NDArray
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.filewriter import dcmwrite
from pydicom.uid import UID, ExplicitVRLittleEndian, generate_uid

CT_IMAGE: Final = UID("1.2.840.10008.5.1.4.1.1.2")
CR_IMAGE: Final = UID("1.2.840.10008.5.1.4.1.1.1")
UPRIGHT: Final = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0)
AIR_HU: Final = -1000.0
INTERCEPT_HU: Final = -1024


@frozen
class Solid:
    """An ellipsoid in LPS mm; an infinite radius makes it a cylinder. Later ones cover earlier."""

    centre: tuple[float, float, float]
    radii: tuple[float, float, float]
    hu: float


#: x grows to the patient's left, y to posterior, z to the head. The dome of the liver is z = 60.
BODY: Final = (
    Solid((0, 0, 0), (172, 112, inf), -100),  # fat
    Solid((0, 2, 0), (156, 98, inf), 45),  # muscle and bowel
    Solid((-72, 0, 170), (62, 80, 130), -850),  # right lung
    Solid((72, 0, 170), (62, 80, 130), -850),  # left lung
    Solid((28, -35, 110), (58, 45, 62), 40),  # heart, apex to the left
    Solid((62, -52, 85), (28, 24, 28), 40),
    Solid((22, 42, 0), (13, 13, inf), 160),  # descending aorta, left of the spine
    Solid((-24, 22, 0), (14, 11, inf), 60),  # inferior vena cava
    Solid((-62, -8, -10), (84, 82, 78), 110),  # liver
    Solid((20, -42, 5), (60, 34, 34), 105),  # its left lobe
    Solid((74, -30, 0), (50, 46, 52), 30),  # stomach ...
    Solid((78, -52, 10), (34, 20, 32), -900),  # ... and its air, which rises when supine
    Solid((104, 42, 5), (36, 36, 48), 120),  # spleen
    Solid((-58, 52, -75), (28, 30, 52), 150),  # kidneys
    Solid((60, 52, -60), (28, 30, 52), 150),
    Solid((0, 62, 0), (24, 20, inf), 260),  # vertebral bodies
    Solid((0, 82, 0), (9, 8, inf), 20),  # canal
    Solid((0, 97, 0), (5, 11, inf), 320),  # spinous processes
    Solid((-20, 86, 0), (18, 5, inf), 300),  # transverse processes
    Solid((20, 86, 0), (18, 5, inf), 300),
    Solid((0, -92, 150), (17, 6, 75), 260),  # sternum
)
#: Where the table lies for each way of lying: the axis that points down, and its sign.
GRAVITY: Final[Mapping[str, tuple[int, int]]] = {
    "supine": (1, 1),
    "prone": (1, -1),
    "left_down": (0, 1),
    "right_down": (0, -1),
}
TABLE_THICKNESS_MM: Final = 14.0
TABLE_HALF_WIDTH_MM: Final = 215.0


@frozen(kw_only=True)
class CtPlan:
    """What a drawn CT series shall be; the defaults are a clean supine trunk.

    Attributes
    ----------
    key
        Study, frame of reference and series UIDs derive from it: equal keys, equal objects.
    series
        Several series of one study share `key` and differ here.
    orientation
        Image Orientation (Patient), which the anatomy obeys before `turned`.
    centre_mm
        Centre of the first slice in LPS; the others follow along the normal.
    turned
        Class 0-7 of the turn that is applied to the pixels while the tags stay.
    lying
        A key of GRAVITY, which places the table; "" = no table.
    tags
        Written over every data set at last; None removes the element.
    """

    key: str = "trunk"
    series: int = 1
    slices: int = 24
    rows: int = 160
    columns: int = 160
    pixel_spacing_mm: tuple[float, float] = (2.5, 2.5)
    slice_spacing_mm: float = 10.0
    orientation: tuple[float, ...] = UPRIGHT
    centre_mm: tuple[float, float, float] = (0.0, 10.0, -100.0)
    turned: int = 0
    lying: str = "supine"
    patient_position: str = "HFS"
    body_part: str = "ABDOMEN"
    tags: Mapping[str, Any] = field(factory=dict)


def ct_series(plan: CtPlan) -> list[FileDataset]:
    """Return the data sets of a CT series in the order of their slices."""
    return [_ct_slice(plan, index) for index in range(plan.slices)]


def hand_radiograph(key: str = "hand", tags: Mapping[str, Any] | None = None) -> FileDataset:
    """Return a drawn left hand, fingers up, as a CR object."""
    return _radiograph(hand_picture(), "HAND", f"{key}/hand", tags or {})


def knee_radiograph(key: str = "knee", tags: Mapping[str, Any] | None = None) -> FileDataset:
    """Return a drawn frontal knee, femur up, as a CR object."""
    return _radiograph(knee_picture(), "KNEE", f"{key}/knee", tags or {})


def part10(data_set: FileDataset) -> bytes:
    """Return the data set as the bytes of a Part 10 file."""
    buffer = BytesIO()
    dcmwrite(buffer, data_set, enforce_file_format=True)
    return buffer.getvalue()


def body_hu(points_mm: NDArray[np.float64], lying: str = "supine") -> NDArray[np.float32]:
    """Return Hounsfield units at points of shape (..., 3) in LPS mm."""
    hu = np.full(points_mm.shape[:-1], AIR_HU, dtype=np.float32)
    if lying:
        hu[_in_table(points_mm, lying)] = -100
    for solid in BODY:
        scaled = (points_mm - solid.centre) / solid.radii
        hu[np.einsum("...i,...i->...", scaled, scaled) <= 1] = solid.hu
    return hu


def turned_picture(picture: NDArray[Any], turn: int) -> NDArray[Any]:
    """Return the picture after turn 0-7: mirrored left-right first if > 3, then quarter turns."""
    mirrored = np.fliplr(picture) if turn > 3 else picture
    return np.ascontiguousarray(np.rot90(mirrored, turn % 4))


def _in_table(points_mm: NDArray[np.float64], lying: str) -> NDArray[np.bool_]:
    axis, sign = GRAVITY[lying]
    down, across = points_mm[..., axis] * sign, points_mm[..., 1 - axis]
    body_edge = 112.0 if axis == 1 else 172.0
    # The top sags under the patient, as a carbon table does; the mattress leaves 4 mm of air.
    surface = body_edge + 4.0 - 20.0 * (across / TABLE_HALF_WIDTH_MM) ** 2
    inside = (down > surface) & (down < surface + TABLE_THICKNESS_MM)
    return np.asarray(inside & (np.abs(across) < TABLE_HALF_WIDTH_MM))


def _positions(plan: CtPlan, index: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return where each pixel lies, shape (rows, columns, 3), and the first of them, LPS mm."""
    row, column = np.array(plan.orientation[:3]), np.array(plan.orientation[3:])
    between_rows, between_columns = plan.pixel_spacing_mm
    right = row * between_columns
    down = column * between_rows
    centre = np.array(plan.centre_mm) + np.cross(row, column) * plan.slice_spacing_mm * index
    first = centre - right * (plan.columns - 1) / 2 - down * (plan.rows - 1) / 2
    r, c = np.mgrid[: plan.rows, : plan.columns]
    return first + c[..., None] * right + r[..., None] * down, first


def _ct_slice(plan: CtPlan, index: int) -> FileDataset:
    points, first = _positions(plan, index)
    noise = np.random.default_rng([plan.series, index]).normal(0, 12, points.shape[:2])
    stored = np.clip(body_hu(points, plan.lying) + noise - INTERCEPT_HU, 0, 4095)
    picture = turned_picture(stored.astype("<u2"), plan.turned)
    data_set = _data_set(CT_IMAGE, "CT", plan.key, plan.series, index)
    data_set.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL"]
    data_set.BodyPartExamined = plan.body_part
    data_set.PatientPosition = plan.patient_position
    data_set.KVP = "120"
    data_set.AcquisitionNumber = "1"
    data_set.SliceThickness = _decimal(plan.slice_spacing_mm)
    data_set.FrameOfReferenceUID = _uid(plan.key, "frame")
    data_set.PositionReferenceIndicator = ""
    data_set.ImageOrientationPatient = [_decimal(value) for value in plan.orientation]
    data_set.ImagePositionPatient = [_decimal(value) for value in first]
    data_set.PixelSpacing = [_decimal(value) for value in plan.pixel_spacing_mm]
    data_set.RescaleIntercept = str(INTERCEPT_HU)
    data_set.RescaleSlope = "1"
    data_set.RescaleType = "HU"
    data_set.WindowCenter = "40"
    data_set.WindowWidth = "400"
    _set_pixels(data_set, picture)
    _overwrite(data_set, plan.tags)
    return data_set


def _radiograph(
    picture: NDArray[np.uint16], body_part: str, key: str, tags: Mapping[str, Any]
) -> FileDataset:
    data_set = _data_set(CR_IMAGE, "CR", key, 1, 0)
    data_set.ImageType = ["ORIGINAL", "PRIMARY"]
    data_set.BodyPartExamined = body_part
    data_set.ViewPosition = "AP"
    data_set.Laterality = "L"
    data_set.PatientOrientation = ""
    data_set.WindowCenter = "2048"
    data_set.WindowWidth = "4096"
    data_set.ImagerPixelSpacing = ["0.8", "0.8"]
    _set_pixels(data_set, picture)
    _overwrite(data_set, tags)
    return data_set


def _data_set(sop_class: UID, modality: str, key: str, series: int, index: int) -> FileDataset:
    """Return a data set with what all images share: patient, study, series, equipment."""
    instance = _uid(key, str(series), str(index))
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = sop_class
    meta.MediaStorageSOPInstanceUID = instance
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    data_set = FileDataset("", {}, file_meta=meta, preamble=bytes(128))
    data_set.SOPClassUID, data_set.SOPInstanceUID = sop_class, instance
    data_set.StudyInstanceUID = _uid(key, "study")
    data_set.SeriesInstanceUID = _uid(key, str(series))
    data_set.Modality = modality
    data_set.PatientName, data_set.PatientID = "Phantom^Drawn", "PHANTOM"
    data_set.PatientBirthDate, data_set.PatientSex = "19700101", "O"
    data_set.StudyDate, data_set.StudyTime = "20260105", "090000"
    data_set.SeriesDate, data_set.SeriesTime = "20260105", "090100"
    data_set.AcquisitionDate, data_set.AcquisitionTime = "20260105", "090100"
    data_set.ContentDate, data_set.ContentTime = "20260105", "090100"
    data_set.AccessionNumber, data_set.StudyID = "DRAWN1", "1"
    data_set.ReferringPhysicianName = ""
    data_set.Manufacturer = "qa-daemon"
    data_set.ManufacturerModelName = "drawn phantom"
    data_set.SeriesNumber, data_set.InstanceNumber = str(series), str(index + 1)
    data_set.SeriesDescription = "synthetic phantom"
    return data_set


def _set_pixels(data_set: FileDataset, picture: NDArray[np.uint16]) -> None:
    data_set.SamplesPerPixel = 1
    data_set.PhotometricInterpretation = "MONOCHROME2"
    data_set.Rows, data_set.Columns = picture.shape
    data_set.BitsAllocated, data_set.BitsStored, data_set.HighBit = 16, 12, 11
    data_set.PixelRepresentation = 0
    data_set.PixelData = picture.astype("<u2").tobytes()
    data_set["PixelData"].VR = "OW"


def _overwrite(data_set: FileDataset, tags: Mapping[str, Any]) -> None:
    for keyword, value in tags.items():
        if value is not None:
            setattr(data_set, keyword, value)
        elif keyword in data_set:
            delattr(data_set, keyword)


def _uid(*key: str) -> UID:
    return generate_uid(prefix="2.25.", entropy_srcs=["qa-daemon phantom", *key])


def _decimal(value: float) -> str:
    """Return a DS of at most 16 bytes (PS3.5 6.2); -0 becomes 0."""
    return f"{round(float(value), 9) + 0.0:.10g}"


@frozen
class Bone:
    """A rod in a radiograph: ends (row, column) in pixels, radius, brightness over soft tissue."""

    start: tuple[float, float]
    end: tuple[float, float]
    radius: float
    density: float


def hand_picture() -> NDArray[np.uint16]:
    """Return a left hand seen from its back, fingers up, thumb to the right, shape (300, 240)."""
    # Wrist, then per ray: the knuckle, the tip and the widths; phalanges are its fractions.
    rays: list[tuple[tuple[float, float], tuple[float, float]]] = [
        ((150, 74), (70, 40)),
        ((140, 100), (38, 88)),
        ((138, 126), (26, 130)),
        ((144, 152), (40, 172)),
        ((196, 186), (128, 222)),
    ]
    bones = [Bone((300, 104), (240, 106), 13, 900), Bone((300, 136), (240, 132), 15, 900)]
    flesh = [Bone((300, 120), (245, 120), 38, 500), Bone((215, 118), (165, 114), 58, 500)]
    for knuckle, tip in rays:
        bones.append(Bone((228, 100 + (knuckle[1] - 100) * 0.4), knuckle, 7, 700))
        flesh.append(Bone(knuckle, tip, 17, 400))
        for near, far in ((0.04, 0.42), (0.48, 0.72), (0.78, 0.98)):
            bones.append(Bone(_between(knuckle, tip, near), _between(knuckle, tip, far), 6, 700))
    bones += [Bone((234, 92 + 14 * i), (224, 94 + 14 * i), 8, 500) for i in range(4)]
    return _film((300, 240), flesh, bones)


def knee_picture() -> NDArray[np.uint16]:
    """Return a frontal left knee, femur up, fibula to the right, shape (300, 220)."""
    flesh = [Bone((-40, 108), (340, 112), 82, 700)]
    bones = [
        Bone((-20, 104), (95, 108), 20, 900),
        Bone((112, 86), (128, 84), 26, 650),
        Bone((112, 132), (128, 136), 26, 650),
        Bone((98, 108), (108, 108), 17, 350),  # patella, over the femur
        Bone((172, 84), (172, 136), 20, 650),
        Bone((180, 108), (320, 106), 22, 800),
        Bone((186, 152), (320, 150), 9, 600),
    ]
    return _film((300, 220), flesh, bones)


def _between(
    start: tuple[float, float], end: tuple[float, float], share: float
) -> tuple[float, float]:
    return (start[0] + (end[0] - start[0]) * share, start[1] + (end[1] - start[1]) * share)


def _film(shape: tuple[int, int], flesh: list[Bone], bones: list[Bone]) -> NDArray[np.uint16]:
    """Return 12-bit brightness: flesh is the thickest rod at a point, bones add to it."""
    film = np.zeros(shape)
    for rod in flesh:
        film = np.maximum(film, _thickness(shape, rod) * rod.density)
    bone = np.zeros(shape)
    for rod in bones:
        bone = np.maximum(bone, _thickness(shape, rod) * rod.density)
    noise = np.random.default_rng(len(bones)).normal(0, 15, shape)
    return np.clip(300 + film + bone + noise, 0, 4095).astype("<u2")


def _thickness(shape: tuple[int, int], rod: Bone) -> NDArray[np.float64]:
    """Return how thick the rod is at each pixel as a share of its diameter."""
    start, along = np.array(rod.start), np.subtract(rod.end, rod.start)
    offset = np.moveaxis(np.indices(shape, dtype=np.float64), 0, -1) - start
    share = np.clip(offset @ along / max(float(along @ along), 1e-9), 0, 1)
    distance = np.linalg.norm(offset - share[..., None] * along, axis=-1)
    return np.asarray(np.sqrt(np.clip(1 - (distance / rod.radius) ** 2, 0, None)))
