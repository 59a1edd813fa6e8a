"""What a target needs to be trained: its examples, network, batches, loss and figures.

In: a data folder. Out: a frozen `Recipe` that `fit`, `package` and `evaluation` carry out. The
recipes themselves stand in `training.recipes`; this module knows no target.
"""

from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Any, Final, Generic, TypeAlias, TypeVar

import numpy as np
from attrs import field, frozen
from numpy.random import Generator
from numpy.typing import NDArray

from qa_daemon.predict.catalog import Catalog, ModelCard, Witness
from qa_daemon.predict.prepare import View

Grey: TypeAlias = NDArray[np.float32]
Figures: TypeAlias = dict[str, object]
#: Share of the patients of every source that is kept for calibration, thresholds and figures.
HELD_OUT_SHARE: Final = 0.15


class Licences(StrEnum):
    """Which material may be used."""

    OPEN = "open"
    ALL = "all"


class Kind(StrEnum):
    """What the labels of a target are to each other."""

    #: One of them is right; where an example names several, any of these is.
    SINGLE = "single"
    #: Each of them is right or not.
    MULTI = "multi"
    #: The eight turned copies of an upright picture.
    ORIENTATION = "orientation"
    #: Answers are not those of single pictures: only the recipe's own figures tell how good it is.
    OWN = "own"


class Origin(StrEnum):
    """Where an example comes from, which decides what it may be used for."""

    PUBLISHED = "published"
    #: Drawn, composed or computed from other pictures: fitted on, never measured.
    SYNTHETIC = "synthetic"
    #: A site's own, labelled without sight of what a model said, or against it.
    OWN = "own"
    #: A site's own, where a person agreed with the model: its own voice, which raises no figure.
    OWN_ACCEPTED = "accepted"

    @property
    def is_measured(self) -> bool:
        """Whether figures and thresholds may rest on it."""
        return self in (Origin.PUBLISHED, Origin.OWN)


@frozen(kw_only=True, eq=False)
class Example:
    """One labelled picture. Recipes add what they need in a class of their own.

    Attributes
    ----------
    id
        The file within the data folder, `#` and the number of the picture in it where it has many.
    read
        Returns the grey values as published, shape (rows, columns); called late and often.
    labels
        Right labels of the target, see `Kind`; () where none is.
    patient
        The group that no split cuts, unique across sources: `source|patient`.
    patient_known
        False where the source does not say who is who; then the source is the group.
    series
        Pictures of one name form one series and vote together; "" for single ones.
    weight
        How often it is put before the recipe's own weighting of what is fitted on.
    """

    id: str
    read: Callable[[], NDArray[Any]] = field(repr=False)
    labels: tuple[str, ...]
    patient: str
    source: str
    licence: str
    modality: str
    patient_known: bool = True
    series: str = ""
    origin: Origin = Origin.PUBLISHED
    weight: int = 1

    @property
    def group(self) -> str:
        """What must lie on one side of every split: the patient, or all that may be one."""
        return self.patient if self.patient_known else self.source


@frozen(kw_only=True)
class OwnPicture:
    """A labelled picture of a site, from which a recipe makes its example.

    The fields are those of `Example`; `view` decodes the frame as the service does.
    """

    id: str
    view: Callable[[], View] = field(repr=False)
    labels: tuple[str, ...]
    patient: str
    source: str
    licence: str
    modality: str
    series: str
    origin: Origin
    weight: int


E = TypeVar("E", bound=Example)


@frozen(eq=False)
class Batch:
    """Pictures (n, size, size, 1), targets and their weights, both with one row per example."""

    pictures: NDArray[np.float32]
    targets: NDArray[np.float32]
    weights: NDArray[np.float32]


#: Draws the batch of a step; the same step gives the same batch on every call and machine.
Draw: TypeAlias = Callable[[int], Batch]


@frozen(kw_only=True)
class Plan:
    """How batches are drawn: `size` is the side of a picture, `batch` counts examples."""

    size: int
    batch: int
    seed: int = 1


@frozen(kw_only=True)
class Start:
    """What a network may begin from.

    Attributes
    ----------
    data
        The data folder; `pretrained/` in it holds weights of backbones.
    sample
        Returns training pictures, shape (n, size, size, 1), to move batch norm statistics in.
    fit_of
        Returns where the weights of another target lie that was fitted on the same material;
        None: none may be used, because it may have seen what is held out.
    """

    data: Path
    sample: Callable[[], NDArray[np.float32]] = field(repr=False)
    fit_of: Callable[[str], Path] | None = field(default=None, repr=False)


@frozen(kw_only=True)
class HeldOut:
    """What fitting never sees.

    Attributes
    ----------
    share
        Of the groups of every source, drawn by a hash.
    sources
        Kept out as a whole.
    draw
        Names the draw; chosen for balance before any fit, never after one.
    """

    share: float = HELD_OUT_SHARE
    sources: frozenset[str] = frozenset()
    draw: int = 1


@frozen(eq=False)
class Scored(Generic[E]):
    """Examples, the inputs made of them, and the raw outputs (n, outputs) of a model.

    `variants` is 0 for an example as published, and counts its random variants from 1.
    """

    examples: tuple[E, ...]
    pictures: Grey
    logits: NDArray[np.float32]
    variants: NDArray[np.intp]

    def at(self, chosen: Sequence[int]) -> "Scored[E]":
        """Return some of them, by index."""
        kept = list(chosen)
        return Scored(
            tuple(self.examples[index] for index in kept),
            self.pictures[kept],
            self.logits[kept],
            self.variants[kept],
        )

    def published(self) -> "Scored[E]":
        """Return the examples as published, without the variants."""
        return self.at(np.flatnonzero(self.variants == 0).tolist())


@frozen
class Calibrated:
    """A card with temperature and thresholds, and in words how each threshold was chosen."""

    card: ModelCard
    how: Mapping[str, str]


@frozen(kw_only=True)
class Words:
    """What the card says in words.

    Attributes
    ----------
    purpose, limits
        Lines of `CARD.md`: what the model says, and where it must not be believed.
    meanings
        What each label means, for `labels.yaml`.
    """

    purpose: tuple[str, ...]
    limits: tuple[str, ...]
    meanings: Mapping[str, str]


@frozen(kw_only=True, eq=False)
class Recipe(Generic[E]):
    """How the model of one target is made.

    Attributes
    ----------
    id
        Names the package where a target has a further model; "" = the target.
    planes, preparation, copies, reject, witnesses
        As in the card (`predict.catalog`).
    needs
        Targets whose models must stand beside it, because calibration asks them.
    steps, batch, learning_rate
        Of a full fit; the rate is the greatest of a cosine with a warm start.
    watch_share
        Share of the fitted groups that is set aside to see when fitting should stop; 0 = never.
    examples
        All labelled material in a data folder. Licence and exclusion list are kept by `split`.
    own
        An example of a site's own picture; None where the target takes none.
    network
        The Keras model to fit: (n, size, size, 1) float32 to (n, outputs) logits.
    draws
        How batches are drawn and varied.
    loss
        Of logits, targets and weights; a scalar.
    shown
        The input, shape (size, size), as the service makes it.
    varied
        A random variant of it as hospitals might have made it, for thresholds; None: none.
    masked
        The input with markers and text hidden, to see whether they were read; None: none to hide.
    calibrated
        Returns the card with temperature and thresholds chosen on held-out examples, and how. The
        catalog holds the models that stand beside it.
    figures
        What the card reports of held-out examples.
    """

    id: str = ""
    target: str
    labels: tuple[str, ...]
    kind: Kind
    modalities: tuple[str, ...]
    planes: tuple[str, ...] = ("axial",)
    size: int
    preparation: str
    copies: str
    reject: int = 0
    witnesses: tuple[Witness, ...] = ()
    needs: tuple[str, ...] = ()
    steps: int
    batch: int
    learning_rate: float
    watch_share: float = 0.0
    held_out: HeldOut = HeldOut()
    variants: int = 0
    words: Words
    examples: Callable[[Path], Sequence[E]]
    own: Callable[[OwnPicture], E] | None = None
    network: Callable[[Start], Any]
    draws: Callable[[Sequence[E], Plan], Draw]
    loss: Callable[[Any, Any, Any], Any]
    shown: Callable[[E], Grey]
    varied: Callable[[E, Generator], Grey] | None = None
    masked: Callable[[E], Grey] | None = None
    calibrated: Callable[[ModelCard, Scored[E], Catalog], Calibrated]
    figures: Callable[[ModelCard, Scored[E], Catalog], Figures]

    @property
    def name(self) -> str:
        """What the package is called, and its fits."""
        return self.id or self.target

    @property
    def plan(self) -> Plan:
        """How batches of a full fit are drawn."""
        return Plan(size=self.size, batch=self.batch)
