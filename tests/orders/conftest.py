"""Series and orders in a few words."""

from qa_daemon.orders.asked import with_regions
from qa_daemon.records.element import Element, Elements
from qa_daemon.records.inference import Inference
from qa_daemon.records.instance import Instance
from qa_daemon.records.order import Code, Order, OrderKey, OrderSource, ScheduledStep
from qa_daemon.records.prediction import Prediction
from qa_daemon.records.series import Series
from qa_daemon.series.assemble import assemble

TERMS = ("KNEE", "ANKLE", "HAND", "WRIST", "CHEST", "LOWERLEG")


def order(
    accession: str, description: str, modality: str = "DX", codes: tuple[Code, ...] = ()
) -> Order:
    return with_regions(
        Order(
            key=OrderKey(accession),
            source=OrderSource.WORKLIST,
            description=description,
            codes=codes,
            steps=(ScheduledStep(modality=modality),),
        )
    )


def series(uid: str, elements: Elements, study: str = "1.1") -> Series:
    whole = {"Modality": Element("CS", ("DX",)), **elements}
    return assemble([Instance(study, uid, f"{uid}.1", "", "", whole)])


def seen(part: str, probability: float = 1.0, side: str = "") -> Inference:
    rest = (1 - probability) / (len(TERMS) - 1)
    found = [Prediction("body_part", "m@1", abstained=False, labels=(part,),
                        probabilities={term: probability if term == part else rest
                                       for term in TERMS})]  # fmt: skip
    if side:
        sides = {"L": 0.015, "R": 0.015, "B": 0.0, side: 0.97}
        found.append(Prediction("laterality", "m@1", label=side, probability=0.97,
                                abstained=False, probabilities=sides))  # fmt: skip
    return Inference(tuple(found))
