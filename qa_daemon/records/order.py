"""Orders: what was asked for, by whom it was told, and when it is to be done."""

from datetime import datetime
from enum import StrEnum

from attrs import evolve, field, frozen


class OrderSource(StrEnum):
    """Who told of an order."""

    WORKLIST = "worklist"
    HL7 = "hl7"
    ARCHIVE = "archive"
    IMAGES = "images"


@frozen
class NamedRegion:
    """A part that a description names.

    Attributes
    ----------
    region
        Atomic term of PS3.16 Annex L.
    side
        "L", "R", "B" or None.
    weight
        How sure the words are, 0 to 1; not a probability.
    """

    region: str
    side: str | None
    weight: float


@frozen
class Code:
    """A coded concept (PS3.3 8)."""

    value: str
    scheme: str
    meaning: str = ""


@frozen
class Issuer:
    """Who issued a number (PS3.3 10.14, HL7v2 Hierarchic Designator)."""

    namespace: str = ""
    universal_id: str = ""
    universal_id_type: str = ""


@frozen
class OrderKey:
    """What tells one order from another: the accession is unique only with its issuer."""

    accession_number: str
    issuer: Issuer = field(factory=Issuer)

    def means(self, other: "OrderKey") -> bool:
        """Whether both name one order; an issuer that is not said is no other issuer."""
        same_issuer = self.issuer == other.issuer or Issuer() in (self.issuer, other.issuer)
        return self.accession_number == other.accession_number and same_issuer


@frozen
class ScheduledStep:
    """One scheduled procedure step (PS3.4 K.6).

    Attributes
    ----------
    date, time
        As in the worklist, DA and TM without a zone; "" if unknown.
    """

    id: str = ""
    description: str = ""
    codes: tuple[Code, ...] = ()
    modality: str = ""
    station_ae: str = ""
    date: str = ""
    time: str = ""


@frozen
class Order:
    """One imaging service request with its requested procedure.

    Texts are "" where the source does not say them; such a value is never written anywhere.

    Attributes
    ----------
    regions
        What the texts and codes ask for (`orders.asked`).
    is_cancelled
        Whether the source took it back.
    """

    key: OrderKey
    source: OrderSource
    patient_id: str = ""
    issuer_of_patient_id: str = ""
    requested_procedure_id: str = ""
    description: str = ""
    codes: tuple[Code, ...] = ()
    study_instance_uid: str = ""
    steps: tuple[ScheduledStep, ...] = ()
    admission_id: str = ""
    issuer_of_admission_id: Issuer = field(factory=Issuer)
    referring_physician: str = ""
    reason: str = ""
    regions: tuple[NamedRegion, ...] = ()
    is_cancelled: bool = False

    @property
    def modalities(self) -> frozenset[str]:
        """The modalities of its steps; empty if none is told."""
        return frozenset(step.modality for step in self.steps if step.modality)

    def with_steps(self, steps: tuple[ScheduledStep, ...]) -> "Order":
        """Return this order with further steps of it."""
        return evolve(
            self, steps=(*self.steps, *(each for each in steps if each not in self.steps))
        )

    def filled_from(self, other: "Order") -> "Order":
        """Return this order with what only the other source says of it."""
        taken = {
            name: getattr(other, name)
            for name in ("requested_procedure_id", "description", "codes", "study_instance_uid",
                         "steps", "admission_id", "referring_physician", "reason", "regions")
            if not getattr(self, name)
        }  # fmt: skip
        return evolve(self, **taken)


@frozen
class Told:
    """An order as one source told it, and when it was last told so."""

    order: Order
    at: datetime
