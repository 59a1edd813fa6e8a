"""One SOP instance as the core sees it."""

from attrs import frozen

from qa_daemon.records.element import Elements


@frozen
class Irregularity:
    """Something odd in the encoding or in a value that did not keep the object from being read.

    Attributes
    ----------
    kind
        A permanent name such as `sequence-damaged`; rules refer to it.
    message
        What is odd and where, without any received value.
    path
        Keyword path of the element, or None where it concerns the whole object.
    """

    kind: str
    message: str
    path: str | None = None


@frozen
class Located:
    """Values together with the place where they stand, so that a change can name it.

    Attributes
    ----------
    path
        Keywords, items counted from 1, as in `PerFrameFunctionalGroupsSequence[3].
        PlanePositionSequence[1].ImagePositionPatient`; the keyword alone at top level.
    vr
        Value representation of the element.
    values
        The texts as received, padding stripped.
    """

    path: str
    vr: str
    values: tuple[str, ...]


@frozen
class Plane:
    """Where one frame lies, as received (PS3.3 C.7.6.2, C.7.6.16.2.3 and .4).

    Attributes
    ----------
    frame
        Counted from 1.
    orientation, position, spacing
        Image Orientation (Patient), Image Position (Patient), Pixel Spacing; None if absent.
    """

    frame: int
    orientation: Located | None = None
    position: Located | None = None
    spacing: Located | None = None


@frozen
class Instance:
    """What the core needs of one SOP instance.

    Attributes
    ----------
    elements
        The chosen elements (`dicom.elements`), by keyword.
    planes
        One per frame for objects that have an image plane, in frame order, else `()`.
    number_of_frames
        1 for single-frame images, 0 for objects without pixels.
    irregularities
        What the scan and the value checks found odd.
    source
        Where the bytes are: a spool key, or the path that a person named. Opaque to the core.
    digest
        SHA-256 of the data set bytes, hex: tells a repeated instance from a different one.
    vocabulary
        Stands for the elements that were looked for (`dicom.elements`); "" where nobody knows.
    """

    study_instance_uid: str
    series_instance_uid: str
    sop_instance_uid: str
    sop_class_uid: str
    transfer_syntax_uid: str
    elements: Elements
    planes: tuple[Plane, ...] = ()
    number_of_frames: int = 0
    irregularities: tuple[Irregularity, ...] = ()
    source: str = ""
    digest: str = ""
    vocabulary: str = ""
