"""`body_region` of sagittal and coronal slices: a second model of the target, for these planes.

Anatomy that no data shows (shoulders, wrists, ankles in MR) must get no region. So radiographs of
every part are shown as well: where they are of a region they are that region, else they are what is
none. And heads are put at the upper rim of other pictures, as a cervical spine has them.
"""

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Final

import keras
import numpy as np
import tensorflow as tf
from attrs import evolve, frozen
from numpy.random import Generator
from numpy.typing import NDArray

from qa_daemon.pixels.tensor import Frame, Grey, framed, standardised
from qa_daemon.predict.catalog import Catalog, ModelCard
from qa_daemon.training.figures.strangers import drawn
from qa_daemon.training.networks import network
from qa_daemon.training.pictures.labelled import Picture, radiographs
from qa_daemon.training.recipe import (
    Batch,
    Calibrated,
    Draw,
    Figures,
    Kind,
    Plan,
    Recipe,
    Scored,
    Start,
    Words,
)
from qa_daemon.training.recipes.other_orientations import CHANNELS, KEPT
from qa_daemon.training.slices.augment import (
    USUAL,
    Prepared,
    draw,
    drawing_weights,
    prepared,
    shown,
    turned_array,
)
from qa_daemon.training.slices.composites import COMPOSED, Parts, one_above_another
from qa_daemon.training.slices.datasets import REGIONS, LabelledSlice, slices
from qa_daemon.training.slices.measure_upright import calibrated_uprights, upright_regions
from qa_daemon.training.slices.reformats import NEIGHBOURS, SIDE, reformatted

SIZE: Final = 60
#: What a batch is made of, the rest being slices: drawn shapes, radiographs, heads above others.
DRAWN_SHARE: Final = 0.05
RADIOGRAPH_SHARE: Final = 0.26
COMPOSED_SHARE: Final = 0.22
#: Most pictures hang as the tag says, head up; some do not.
TURNED_SHARE: Final = 0.25
#: Share of radiographs that are shown with dark bone.
INVERTED_SHARE: Final = 0.3
#: Sources whose slices show their region alone: single joints, breasts in a coil.
ALONE: Final = frozenset({"BreastDCEDL I-SPY1", "MRNet v1.0 (knee MR)"})
#: What the reader left open on whole trunks, and what shows no region at all.
TRUNKS: Final[Mapping[str, tuple[str, ...]]] = {
    "trauma abdomen": ("ABDOMEN",),
    "ACRIN-FLT-Breast": ("CHEST",),
}
NO_REGION: Final = frozenset({"dcm4che-wrist"})
#: Regions of the parts of radiographs, in the words of `radiographs/labels.csv`.
REGION_OF_PART: Final[Mapping[str, str]] = {
    "Skull": "HEAD", "Sinus": "HEAD", "Cervical Spine": "NECK", "Chest": "CHEST",
    "Thoracic Spine": "CHEST", "Abdomen": "ABDOMEN", "Lumbar Spine": "ABDOMEN",
    "Pelvis": "PELVIS", "Hip": "PELVIS", "Thigh": "LOWERLIMB", "Knee": "LOWERLIMB",
    "Lower Leg": "LOWERLIMB", "Ankle": "LOWERLIMB", "Feet": "LOWERLIMB",
}  # fmt: skip
#: Parts of the upper limb show no region, but a shoulder some of the chest.
NO_REGION_PARTS: Final = frozenset(
    {"Shoulder", "Clavicles", "Upper Arm", "Elbow", "Forearm", "Wrist", "Hand", "Finger"}
)
OPEN_BESIDE: Final[Mapping[str, frozenset[str]]] = {
    part: frozenset({"CHEST", "NECK"}) for part in ("Shoulder", "Clavicles", "Upper Arm")
}
#: Several pictures on one film, or several films in one picture.
SEVERAL: Final = "multi"
LATERAL: Final = "LAT"
MODALITY: Final = "CR"

WORDS: Final = Words(
    purpose=(
        "Says which regions of the body a sagittal or coronal CT or MR slice shows. A second model",
        "of `body_region`: that of axial slices does not look at these planes.",
    ),
    limits=(
        "No source shows sagittal or coronal necks in MR, and shoulders, elbows, ankles and feet",
        "only as radiographs: regions without a label threshold below 1 are never accepted. A sign",
        "for quality assurance, not a diagnosis.",
    ),
    meanings={
        "HEAD": "skull base and above, face included",
        "NECK": "from the shoulders' upper edge to the mandible",
        "CHEST": "from the apices to where heart or lung still dominates",
        "ABDOMEN": "liver dominating, or lumbar spine, down to the iliac crest",
        "PELVIS": "from the iliac wings to the ischium",
        "LOWERLIMB": "below the ischium, knee included",
    },
)


def _examples(data: Path) -> Sequence[LabelledSlice]:
    """Return upright slices, cuts through stacks, and radiographs; labels are regions in view."""
    published = tuple(slices(data))
    upright = [item for item in published if item.plane in ("sagittal", "coronal")]
    found = [_told(item) for item in (*upright, *reformatted(published))]
    found = [item for item in found if item.regions or item.source in NO_REGION]
    return [*found, *_films(data)]


def _films(data: Path) -> Sequence[LabelledSlice]:
    if not (data / "radiographs" / "labels.csv").is_file():
        return ()
    told = REGION_OF_PART.keys() | NO_REGION_PARTS
    return [
        _of_radiograph(item)
        for item in radiographs(data)
        if told.issuperset(item.parts) and SEVERAL not in item.view
    ]


def _told(item: LabelledSlice) -> LabelledSlice:
    """Return the slice with what may be in view beside its region left open."""
    if item.source in NO_REGION:
        return evolve(item, labels=(), regions=(), regions_open=frozenset())
    regions = item.regions or TRUNKS.get(item.source, ())
    maybe = frozenset[str]()
    if item.source not in ALONE:
        maybe = frozenset().union(*(NEIGHBOURS[region] for region in regions), item.regions_open)
    return evolve(item, labels=regions, regions=regions, regions_open=maybe.difference(regions))


def _of_radiograph(item: Picture) -> LabelledSlice:
    regions = {REGION_OF_PART[part] for part in item.parts if part in REGION_OF_PART}
    maybe = frozenset().union(
        *(NEIGHBOURS[region] for region in regions),
        *(OPEN_BESIDE.get(part, frozenset()) for part in item.parts),
    )
    found = tuple(region for region in REGIONS if region in regions)
    pixels = _squared(item.read())
    return LabelledSlice(
        id=item.id,
        read=partial(np.asarray, pixels),
        labels=found,
        patient=item.patient,
        source=item.source,
        licence=item.licence,
        modality=MODALITY,
        patient_known=item.patient_known,
        pixels=pixels,
        in_hu=False,
        plane="lateral" if item.view == LATERAL else "projection",
        regions=found,
        regions_open=maybe.difference(found),
        mirror_verified=False,
    )


def _squared(picture: NDArray[Any]) -> NDArray[np.uint8]:
    """Return the picture on a black square, (SIDE, SIDE)."""
    rows, columns = picture.shape
    whole = Frame(rows / 2, columns / 2, float(max(rows, columns)))
    square = framed(picture.astype(np.float32), whole, SIDE)
    return np.clip(np.round(square), 0, 255).astype(np.uint8)


def _network(start: Start) -> keras.Model:  # noqa: ARG001  it starts from nothing
    return network(SIZE, len(REGIONS) + 1, "body_region_upright", CHANNELS)


@frozen(eq=False)
class _Material:
    """Pictures with the chances of each, by what they are."""

    slices: tuple[Prepared, ...]
    slice_chances: NDArray[np.float64]
    radiographs: tuple[Prepared, ...]
    radiograph_chances: NDArray[np.float64]
    parts: tuple[Parts, ...]

    def one(self, random: Generator) -> Prepared | None:
        """Return a picture, None for a drawn one."""
        lot = random.random()
        if lot < DRAWN_SHARE:
            return None
        lot -= DRAWN_SHARE
        if lot < RADIOGRAPH_SHARE and self.radiographs:
            return self.radiographs[
                int(random.choice(len(self.radiographs), p=self.radiograph_chances))
            ]
        if RADIOGRAPH_SHARE <= lot < RADIOGRAPH_SHARE + COMPOSED_SHARE and self.parts:
            parts = self.parts[int(random.integers(len(self.parts)))]
            return prepared(one_above_another(parts, random))
        return self.slices[int(random.choice(len(self.slices), p=self.slice_chances))]


def _material(items: Sequence[LabelledSlice]) -> _Material:
    own = [item for item in items if item.modality != MODALITY]
    films = [item for item in items if item.modality == MODALITY]
    parts = []
    for plane, times in (("sagittal", 3), ("coronal", 1)):
        heads = tuple(item for item in own if item.plane == plane and item.regions == ("HEAD",))
        others = tuple(
            item for item in own if item.plane == plane and not {"HEAD"} & {*item.regions}
        )
        others += tuple(
            item for item in films if item.plane == "lateral" and "NECK" in item.regions
        )
        if heads and others:
            both = Parts(heads, drawing_weights(heads), others, drawing_weights(others))
            parts += [both] * times
    return _Material(
        tuple(prepared(item) for item in own),
        drawing_weights(own),
        tuple(prepared(item) for item in films),
        drawing_weights(films) if films else np.zeros(0),
        tuple(parts),
    )


def _draws(items: Sequence[LabelledSlice], plan: Plan) -> Draw:
    material = _material(items)

    def batch_of(index: int) -> Batch:
        random = np.random.default_rng([plan.seed, index])
        pictures, targets = [], []
        for _ in range(plan.batch):
            subject = material.one(random)
            pictures.append(_picture(subject, random, plan.size))
            targets.append(_target(None if subject is None else subject.item))
        return Batch(
            np.stack(pictures)[..., None],
            np.asarray(targets, np.float32),
            np.ones(plan.batch, np.float32),
        )

    return batch_of


def _picture(subject: Prepared | None, random: Generator, size: int) -> Grey:
    if subject is None:
        return drawn(random, size)
    picture = draw(subject, random, size)
    if subject.item.modality == MODALITY and random.random() < INVERTED_SHARE:
        picture = standardised(-picture)
    turn = int(random.integers(4)) if random.random() < TURNED_SHARE else 0
    return turned_array(picture, turn + 4 * int(random.integers(2)))


def _target(item: LabelledSlice | None) -> list[float]:
    """Return what is in view, then whether it is none of that; then where a loss is taken."""
    if item is None:
        return [*[0.0] * len(REGIONS), 1.0, *[1.0] * (len(REGIONS) + 1)]
    seen = [float(region in item.regions) for region in REGIONS]
    told = [float(region not in item.regions_open) for region in REGIONS]
    is_none = not item.regions
    # Of two pictures below each other nobody knows whether what is left of them shows a region.
    is_told = bool(item.regions) or item.source != COMPOSED
    return [*seen, float(is_none), *told, float(is_told)]


def _loss(logits: Any, targets: Any, weights: Any) -> Any:
    truth, told = tf.split(targets, 2, axis=1)
    each = tf.nn.sigmoid_cross_entropy_with_logits(truth * 0.97 + 0.005, logits)
    return tf.reduce_mean(weights * tf.reduce_sum(told * each, axis=1))


def _varied(item: LabelledSlice, random: Generator) -> Grey:
    return draw(prepared(item), random, SIZE, USUAL)


def _calibrated(card: ModelCard, found: Scored[LabelledSlice], _beside: Catalog) -> Calibrated:
    return calibrated_uprights(card, found)


def _figures(card: ModelCard, found: Scored[LabelledSlice], _beside: Catalog) -> Figures:
    return upright_regions(card, found)


RECIPE: Final = Recipe[LabelledSlice](
    id="body_region_upright",
    target="body_region",
    labels=REGIONS,
    kind=Kind.MULTI,
    modalities=("CT", "MR"),
    planes=("sagittal", "coronal"),
    size=SIZE,
    preparation="slice",
    copies="mirrored",
    reject=1,
    steps=9000,
    batch=48,
    learning_rate=2e-3,
    held_out=KEPT,
    variants=3,
    words=WORDS,
    examples=_examples,
    network=_network,
    draws=_draws,
    loss=_loss,
    shown=partial(shown, size=SIZE),
    varied=_varied,
    calibrated=_calibrated,
    figures=_figures,
)
