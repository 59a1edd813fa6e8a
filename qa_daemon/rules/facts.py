"""What rules can look at, and what a check can answer."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from functools import cache, cached_property
from typing import TypeAlias, TypeVar

from attrs import field, frozen

from qa_daemon.dicom.terms import ENHANCED_CLASSES, IMAGE_PLANE_CLASSES
from qa_daemon.geometry.cosines import Cosines, Fault, Vector, read_cosines
from qa_daemon.geometry.placement import read_position, read_spacing
from qa_daemon.geometry.planes import BodyPlane, body_plane
from qa_daemon.geometry.stack import Slice as StackSlice
from qa_daemon.geometry.stack import StackFacts, stack_facts
from qa_daemon.orders.asked import keys_of
from qa_daemon.orders.assign import assigned
from qa_daemon.orders.evidence import statements
from qa_daemon.orders.lexicon.read import regions_named
from qa_daemon.orders.proposal import Assigned, Filed, Proposal
from qa_daemon.records.assignment import Assignment
from qa_daemon.records.element import Element, first_text
from qa_daemon.records.finding import Level, Severity
from qa_daemon.records.inference import Inference
from qa_daemon.records.instance import Instance, Irregularity, Located, Plane
from qa_daemon.records.issue import Habit, UsualSet
from qa_daemon.records.order import NamedRegion, Order
from qa_daemon.records.prediction import Abstention, Part, Prediction
from qa_daemon.records.series import Elsewhere, Series
from qa_daemon.series.slices import PlacedFrame, placed_frames, slices_of


@frozen
class Hit:
    """Something wrong, found by a check.

    Attributes
    ----------
    message
        For a technician; "" means the message of the rule.
    severity
        None means the severity of the rule.
    proposed
        Values that would mend it, by keyword, for rules whose `suggest` says `from_check`.
    assignment
        Of findings about series and orders of a visit: what they rest on.
    """

    message: str = ""
    sop_instance_uids: tuple[str, ...] = ()
    evidence: Mapping[str, str] = field(factory=dict)
    severity: Severity | None = None
    confidence: float | None = None
    proposed: Mapping[str, tuple[str, ...]] = field(factory=dict)
    assignment: Assignment | None = None


@frozen
class NotApplicable:
    """The check has nothing to say about such a subject; the reason where the site gave one."""

    reason: str = ""


@frozen
class NotEvaluated:
    """The check could not decide, with the reason."""

    reason: str


#: Hits (none: passed), or why there is no verdict.
Answer: TypeAlias = tuple[Hit, ...] | NotApplicable | NotEvaluated

PASSED: tuple[Hit, ...] = ()

Number = TypeVar("Number")


#: Reads a free text; the room `orders` has the one in force.
Lexicon: TypeAlias = Callable[[str], Sequence[NamedRegion]]


@frozen
class Slice:
    """One frame with its plane as numbers, as a fault, or None where the element is absent.

    Attributes
    ----------
    spacing
        Between rows, between columns, mm.
    """

    instance: Instance
    frame: int
    cosines: Cosines | Fault | None
    position: Vector | Fault | None
    spacing: tuple[float, float] | Fault | None


@frozen
class Context:
    """What is known besides the images.

    Attributes
    ----------
    received
        When the last object arrived; with an offset, or in the time of the site.
    order
        What `order.NAME` says (`looks.names.ORDER_FACTS`); None where no order is known.
    calling_ae
        AE title of the sender, "" where nobody sent it.
    lexicon
        Reads the descriptions.
    habits
        What earlier series of the same station and protocol wrote.
    elsewhere
        Where else UIDs and orders stand; None where there is no store to look in.
    delays
        Minutes from making to arrival of earlier series of the station, the latest first; None
        where there is no store.
    usual
        Which series earlier studies of this kind had; None where the kind is not said.
    """

    received: datetime | None = None
    order: Mapping[str, tuple[str, ...]] | None = None
    calling_ae: str = ""
    lexicon: Lexicon = regions_named
    habits: tuple[Habit, ...] = ()
    elsewhere: Elsewhere | None = None
    delays: tuple[int, ...] | None = None
    usual: UsualSet | None = None


@frozen
class SeriesFacts:
    """One series with what its pixels showed, and the other series of its study."""

    series: Series
    inference: Inference = field(factory=Inference)
    siblings: tuple[Series, ...] = ()
    context: Context = field(factory=Context)

    @property
    def levels(self) -> frozenset[Level]:
        """The levels of rules that can be evaluated here."""
        return frozenset({Level.INSTANCE, Level.SERIES})

    @cached_property
    def irregularities(self) -> Mapping[str, tuple[tuple[str, Irregularity], ...]]:
        """By kind: the instances that show it, each with what was noted."""
        by_kind: dict[str, list[tuple[str, Irregularity]]] = defaultdict(list)
        for instance in (*self.series.instances, *self.series.colliding):
            for irregularity in instance.irregularities:
                by_kind[irregularity.kind].append((instance.sop_instance_uid, irregularity))
        for uid, noted in self.inference.irregularities.items():
            for irregularity in noted:
                by_kind[irregularity.kind].append((uid, irregularity))
        return {kind: tuple(noted) for kind, noted in by_kind.items()}

    @cached_property
    def slices(self) -> tuple[Slice, ...]:
        """All frames that have a plane, in the order of the series."""
        read = cache(read_cosines)  # most series write one orientation a thousand times
        return tuple(
            _slice(instance, plane, read)
            for instance in self.series.instances
            for plane in instance.planes
        )

    @cached_property
    def placed(self) -> tuple[StackSlice, ...]:
        """The frames that have a readable place."""
        return slices_of(self.frames, self.series.conflicting)

    @cached_property
    def frames(self) -> tuple[PlacedFrame, ...]:
        """The frames whose orientation can be read."""
        return tuple(placed_frames(self.series.instances))

    @cached_property
    def planes(self) -> frozenset[BodyPlane]:
        """The planes of the body that slices lie in, by their tags."""
        directions = {each.cosines for each in self.slices if isinstance(each.cosines, Cosines)}
        return frozenset(body_plane(cosines.normal) for cosines in directions)

    @cached_property
    def stack(self) -> StackFacts:
        """What the positions of the series say."""
        return stack_facts(self.placed)

    @cached_property
    def remembered(self) -> dict[tuple[str, ...], tuple[tuple[Instance, ...], ...]]:
        """Groups of instances by the facts that tell them apart, found once for all rules."""
        return {}

    def telling(self, *keywords: str) -> tuple[Instance, ...]:
        """Return the instances to look at: all, or the first where all say the same of these."""
        whole = self.series.instances
        return whole[:1] if self.series.conflicting.isdisjoint(keywords) else whole

    def tag(self, keyword: str) -> Element | None:
        """Return the element of the first instance that has it filled, else that has it at all."""
        shared = self.series.shared.get(keyword)
        if shared is not None or keyword not in self.series.conflicting:
            return shared
        empty = None
        for instance in self.series.instances:
            element = instance.elements.get(keyword)
            if element is not None and element.is_filled:
                return element
            empty = empty or element
        return empty

    def text(self, keyword: str) -> str:
        """Return the first value of `tag(keyword)` as text, "" where there is none."""
        return first_of(self.tag(keyword))


@frozen
class StudyFacts:
    """All series of one study."""

    series: tuple[Series, ...]
    context: Context = field(factory=Context)

    @property
    def levels(self) -> frozenset[Level]:
        """The levels of rules that can be evaluated here."""
        return frozenset({Level.STUDY})


@frozen
class VisitFacts(StudyFacts):
    """All series of a patient's visit, what their pixels showed, and the orders of the visit.

    Attributes
    ----------
    inferences
        By Series Instance UID.
    orders
        Those known from worklist, messages, archive, and those that the images name.
    usual
        By Series Instance UID: what its station usually images under its protocol.
    """

    inferences: Mapping[str, Inference] = field(factory=dict)
    orders: tuple[Order, ...] = ()
    usual: Mapping[str, tuple[NamedRegion, ...]] = field(factory=dict)

    @property
    def levels(self) -> frozenset[Level]:
        """The levels of rules that can be evaluated here."""
        return frozenset({Level.VISIT})

    @cached_property
    def filed(self) -> tuple[Filed, ...]:
        """What is said of each series, and the orders that it names."""
        return tuple(
            Filed(
                each.series_instance_uid,
                each.modality,
                keys_of(each),
                statements(
                    each,
                    self.inferences.get(each.series_instance_uid, Inference()),
                    self.usual.get(each.series_instance_uid, ()),
                ),
            )
            for each in self.series
        )

    @cached_property
    def assigned(self) -> Assigned:
        """Which images belong to which order."""
        return assigned(self.filed, self.orders)

    @property
    def proposals(self) -> tuple[Proposal, ...]:
        """What should change so that images and orders agree."""
        return self.assigned.proposals


def _slice(
    instance: Instance, plane: Plane, read: Callable[[tuple[str, ...]], Cosines | Fault]
) -> Slice:
    return Slice(
        instance=instance,
        frame=plane.frame,
        cosines=_read(plane.orientation, read),
        position=_read(plane.position, read_position),
        spacing=_read(plane.spacing, read_spacing),
    )


def _read(located: Located | None, read: Callable[[tuple[str, ...]], Number]) -> Number | None:
    return None if located is None else read(located.values)


def demands_plane(instance: Instance) -> bool:
    """Whether the object must say where it lies, by its own class.

    A screenshot beside the slices of a CT series need not, nor frames that were computed: in
    functional groups the plane is type 1C, for originals only (PS3.3 C.7.6.16.2.3 and .4).
    """
    if instance.sop_class_uid in ENHANCED_CLASSES:
        return first_text(instance.elements, "ImageType") != "DERIVED"
    return instance.sop_class_uid in IMAGE_PLANE_CLASSES


def first_of(element: Element | None) -> str:
    """Return the first value as stripped text, "" where there is none."""
    if element is None or not element.values or isinstance(element.values[0], Mapping):
        return ""
    return str(element.values[0]).strip()


def values_of(instance: Instance, keyword: str) -> tuple[str, ...] | None:
    """Return the values as stripped texts, None where the element is absent."""
    if keyword == "SOPClassUID":
        return (instance.sop_class_uid,)
    element = instance.elements.get(keyword)
    return None if element is None else texts_of(element)


def texts_of(element: Element) -> tuple[str, ...]:
    """Return all values as stripped texts; items of a sequence as `(item)`."""
    return tuple(
        "(item)" if isinstance(value, Mapping) else str(value).strip() for value in element.values
    )


def decided(prediction: Prediction | None, part: str) -> Part | Prediction | str:
    """Return what of the prediction may be used, or the reason why nothing may."""
    if prediction is None:
        return "not asked for"
    if part:
        half = prediction.turn if part == "turn" else prediction.mirror
        if half is not None and not half.abstained:
            return half
    elif not prediction.abstained:
        return prediction
    return str(prediction.reason or Abstention.LOW_PROBABILITY)


def uids(instances: Iterable[Instance], whole: Sequence[Instance]) -> tuple[str, ...]:
    """Return the UIDs of those concerned, sorted; `()` where these are all."""
    concerned = sorted({instance.sop_instance_uid for instance in instances})
    return () if len(concerned) == len(whole) else tuple(concerned)


def distinct(values: Iterable[str]) -> tuple[str, ...]:
    """Return each value once, in their order."""
    return tuple(dict.fromkeys(values))
