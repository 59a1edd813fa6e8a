"""A settled series: its instances in order, and what they share."""

from attrs import frozen

from qa_daemon.records.element import Elements
from qa_daemon.records.instance import Instance


@frozen
class Series:
    """The instances of one Series Instance UID at one revision.

    Attributes
    ----------
    revision
        Grows with every late instance, from 1.
    instances
        Distinct SOP instances, ordered along the slice normal where there is one, else by
        Instance Number, else by UID.
    shared
        Elements that every instance has with equal values.
    conflicting
        Keywords that differ between instances, or that some instances lack.
    colliding
        Instances whose SOP Instance UID repeats one of `instances` with other bytes.
    """

    study_instance_uid: str
    series_instance_uid: str
    modality: str
    instances: tuple[Instance, ...]
    shared: Elements
    conflicting: frozenset[str] = frozenset()
    revision: int = 1
    colliding: tuple[Instance, ...] = ()


@frozen
class Stranger:
    """Another Patient ID under an Accession Number of a series.

    Attributes
    ----------
    is_same_person
        Name and birth date are those of the series: one person under two numbers.
    """

    study_instance_uid: str
    is_same_person: bool = False


@frozen
class Elsewhere:
    """Where else the store has the UIDs and the order of a series; a bounded number of each.

    Attributes
    ----------
    instances
        SOP Instance UIDs of the series that stand in other studies, too, under another series.
    studies
        Other studies that hold a series of this UID.
    strangers
        Other patients under its Accession Number.
    """

    instances: tuple[str, ...] = ()
    studies: tuple[str, ...] = ()
    strangers: tuple[Stranger, ...] = ()
