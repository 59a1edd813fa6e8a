"""`sagittal_orientation` and `coronal_orientation`: how a slice of these planes lies on the screen.

The same equivariant scorer as for axial slices. Few sources publish such slices, so stacks of
other planes are cut along them too (`slices.reformats`). A sagittal slice faces left or right, so
its mirror can be told; a coronal one tells it by liver, stomach, spleen or heart only.
"""

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Final

import keras
import numpy as np
from attrs import evolve
from numpy.random import Generator

from qa_daemon.geometry.planes import BodyPlane
from qa_daemon.predict.catalog import UNDECIDED, Catalog, ModelCard, Witness
from qa_daemon.training.figures.strangers import drawn
from qa_daemon.training.networks import network
from qa_daemon.training.recipe import (
    Batch,
    Calibrated,
    Draw,
    Grey,
    HeldOut,
    Kind,
    Plan,
    Recipe,
    Scored,
    Start,
    Words,
)
from qa_daemon.training.recipes.axial_orientation import (
    DRAWN_SHARE,
    NO_ANSWER,
    OTHERS_DRAWN,
    SIDE_OPEN,
    loss,
)
from qa_daemon.training.recipes.axial_orientation import SIDE_KNOWN as TARGET_KNOWN
from qa_daemon.training.recipes.axial_orientation import SIDE_UNSEEN as TARGET_UNSEEN
from qa_daemon.training.slices.augment import (
    USUAL,
    Prepared,
    Variety,
    draw,
    drawing_weights,
    prepared,
    shown,
    turned_array,
)
from qa_daemon.training.slices.datasets import (
    HELD_OUT,
    SIDED_REGIONS,
    LabelledSlice,
    slices,
)
from qa_daemon.training.slices.reformats import SYNTHETIC, reformatted
from qa_daemon.training.slices.upright import (
    SIDE_KNOWN,
    SIDE_UNSEEN,
    calibrated_upright,
    upright_figures,
)

#: A smaller picture and network than for axial slices: there are a tenth as many patients, and a
#: plane, a head's turn or its place along the body can be told from a thumbnail.
SIZE: Final = 48
CHANNELS: Final = (16, 32, 64, 88)
#: Milder than for axial slices: a plane, or the head end, is lost sooner from a small part.
MILD: Final = Variety(
    crop=0.25, table=0.15, cut=0.12, recoloured=0.3, inverted=0.04, uneven=0.25, noise=0.05
)
#: Share of pictures that must get a flat answer because they are of another plane.
OTHERS_SHARE: Final = 0.14
#: A breast in the coil is as long upwards as downwards, and six wrist slices of one patient teach
#: nothing that holds for a second one: these get no answer.
UNTOLD_SOURCES: Final = frozenset({"BreastDCEDL I-SPY1", "dcm4che-wrist"})
#: Whole stacks that fitting never saw: a head, and the trunks of `slices.datasets`.
KEPT: Final = HeldOut(
    share=HELD_OUT.share,
    sources=HELD_OUT.sources | {source + SYNTHETIC for source in HELD_OUT.sources},
    draw=HELD_OUT.draw,
)
#: On a slice without any known region nothing is decided.
KNOWN_MIN: Final = 0.5
SIDELESS: Final = ("HEAD", "NECK", "LOWERLIMB")

LIMITS: Final = (
    "Reformatted slices are synthetic: cut from stacks of other planes, with steps at the skull.",
    "Heads come from few patients, most of one source that names none; shoulders, elbows, wrists,",
    "ankles and feet were not in the data. Children and animals neither.",
)


def _label(item: LabelledSlice, plane: BodyPlane) -> tuple[str, ...]:
    """Return what an upright slice of the plane may be called; () where it gets no answer."""
    if item.plane != plane or item.source in UNTOLD_SOURCES:
        return ()
    if plane is BodyPlane.SAGITTAL:
        return SIDE_KNOWN
    is_trunk = not item.regions or bool(SIDED_REGIONS.intersection(item.regions))
    return SIDE_KNOWN if item.mirror_verified and is_trunk else SIDE_UNSEEN


def _examples(plane: BodyPlane, data: Path) -> Sequence[LabelledSlice]:
    """Return slices of all planes; those of others must get a flat answer."""
    published = tuple(slices(data))
    return [
        evolve(item, labels=_label(item, plane)) for item in (*published, *reformatted(published))
    ]


def _network(plane: BodyPlane, start: Start) -> keras.Model:  # noqa: ARG001  it starts from nothing
    return network(SIZE, 1, f"{plane}_orientation", CHANNELS)


def _draws(items: Sequence[LabelledSlice], plan: Plan) -> Draw:
    upright = [prepared(item) for item in items if item.labels]
    others = [prepared(item) for item in items if not item.labels]
    chances = drawing_weights([subject.item for subject in upright])
    other_chances = drawing_weights([subject.item for subject in others]) if others else None

    def batch_of(index: int) -> Batch:
        random = np.random.default_rng([plan.seed, index])
        copies, targets = [], []
        for number in random.choice(len(upright), plan.batch, p=chances):
            lot = random.random()
            subject: Prepared | None = upright[number]
            if lot < DRAWN_SHARE:
                subject = None
            elif lot < DRAWN_SHARE + OTHERS_SHARE and others:
                subject = others[int(random.choice(len(others), p=other_chances))]
            rest = random.permutation([1, 2, 3, 5, 6, 7])[:OTHERS_DRAWN]
            picture = (
                drawn(random, plan.size)
                if subject is None
                else draw(subject, random, plan.size, MILD)
            )
            copies += [turned_array(picture, label) for label in (0, 4, *rest)]
            targets.append(NO_ANSWER if subject is None else _target(subject.item))
        return Batch(
            np.stack(copies)[..., None],
            np.asarray(targets, np.float32),
            np.ones(plan.batch, np.float32),
        )

    return batch_of


def _target(item: LabelledSlice) -> tuple[float, ...]:
    if not item.labels:
        return NO_ANSWER
    if item.labels == SIDE_KNOWN:
        return TARGET_KNOWN
    return SIDE_OPEN if SIDED_REGIONS.intersection(item.regions) else TARGET_UNSEEN


def _varied(item: LabelledSlice, random: Generator) -> Grey:
    return draw(prepared(item), random, SIZE, USUAL)


def _calibrated_never_alone(
    card: ModelCard, found: Scored[LabelledSlice], beside: Catalog
) -> Calibrated:
    """As `calibrated_upright`, but a slice alone is never decided."""
    made = calibrated_upright(card, found, beside)
    how = "never, set by hand: so few coronal slices are held out that one alone proves nothing"
    alone = ("turn_slice", "mirror_slice")
    thresholds = {**made.card.thresholds, **dict.fromkeys(alone, UNDECIDED)}
    told = {**made.how, **dict.fromkeys(alone, how)}
    return Calibrated(evolve(made.card, thresholds=thresholds), told)


def _recipe(plane: BodyPlane, words: Words, witness: Witness, steps: int) -> Recipe[LabelledSlice]:
    examples: Callable[[Path], Sequence[LabelledSlice]] = partial(_examples, plane)
    return Recipe[LabelledSlice](
        target=f"{plane}_orientation",
        labels=tuple(str(label) for label in range(8)),
        kind=Kind.ORIENTATION,
        modalities=("CT", "MR"),
        planes=(plane.value,),
        size=SIZE,
        preparation="slice",
        copies="scored",
        witnesses=(witness,),
        steps=steps,
        batch=32,
        learning_rate=1.5e-3,
        held_out=KEPT,
        variants=3,
        words=words,
        examples=examples,
        network=partial(_network, plane),
        draws=_draws,
        loss=loss,
        shown=partial(shown, size=SIZE),
        varied=_varied,
        calibrated=(_calibrated_never_alone if plane is BodyPlane.CORONAL else calibrated_upright),
        figures=upright_figures,
    )


_HEADS: Final = ("up", "to the left", "down", "to the right")
SAGITTAL: Final = _recipe(
    BodyPlane.SAGITTAL,
    Words(
        purpose=(
            "Says how a sagittal CT or MR slice lies on the screen: which way the head points",
            "(four quarter turns), and whether it is mirrored: class 0 faces the left of the",
            "screen. One score per turned copy, so the answer cannot depend on how the slice was",
            "stored.",
        ),
        limits=LIMITS,
        meanings={
            str(label): f"head {_HEADS[label % 4]}; " + ("mirrored" if label >= 4 else "as class 0")
            for label in range(8)
        },
    ),
    Witness(target="body_region", known=KNOWN_MIN),
    3500,
)
CORONAL: Final = _recipe(
    BodyPlane.CORONAL,
    Words(
        purpose=(
            "Says how a coronal CT or MR slice lies on the screen: which way the head points",
            "(four quarter turns), and, where `body_region` sees chest or abdomen alone, whether",
            "left and right are exchanged: class 0 has the patient's left on screen right.",
        ),
        limits=LIMITS,
        meanings={
            str(label): f"head {_HEADS[label % 4]}; " + ("mirrored" if label >= 4 else "as class 0")
            for label in range(8)
        },
    ),
    Witness(target="body_region", sided=("CHEST", "ABDOMEN"), sideless=SIDELESS, known=KNOWN_MIN),
    3500,
)
