"""Model packages: which models there are, whether their files are whole, what they promise.

In: folders of `<id>/<version>/` packages, and which of them are wanted. Out: a `Catalog`. A package
that is missing a file, or whose digest does not match, is a problem and not a failure: its target
becomes unavailable.
"""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import yaml
from attrs import field, frozen, validators

from qa_daemon.errors import ConfigurationError
from qa_daemon.pixels.choose import ANY_PLANE
from qa_daemon.records.prediction import TARGETS

CARD: Final = "card.yaml"
WEIGHTS: Final = "model.tflite"
GOLDEN: Final = "golden/golden.npz"
#: A package larger than this is not one of ours; it is not read into memory.
WEIGHTS_BYTES_MAX: Final = 64 << 20
#: What makes the input of a grey picture (`predict.prepare`).
PREPARATIONS: Final = ("slice", "radiograph", "picture", "chest", "displayed", "patches")
#: How an input is shown (`ModelCard.copies`).
COPIES: Final = ("scored", "averaged", "mirrored", "single")
#: Package sets: fitted on whatever was at hand, or on data of open licences only.
LICENCES: Final = ("all", "open")
#: What a part of an answer must reach where the card does not say: it stays undecided.
UNDECIDED: Final = 1.0

_share = validators.and_(validators.ge(0.0), validators.le(1.0))


@frozen
class Problem:
    """A package that cannot be used, with what to do."""

    path: str
    message: str


@frozen
class Source:
    """A data set that a model was fitted or measured on, and its licence in its own words."""

    name: str
    licence: str


@frozen(kw_only=True)
class Witness:
    """Another model that says whether an orientation can be told from the picture.

    Attributes
    ----------
    target
        What it was asked, of the same frames.
    sided
        Labels that show which side is which; () = none is needed.
    sideless
        Labels beside which the mirror stays undecided.
    known
        A picture on which none of its labels reaches this shows nothing that the models know.
    """

    target: str = field(validator=validators.in_(TARGETS))
    sided: tuple[str, ...] = ()
    sideless: tuple[str, ...] = ()
    known: float = field(default=0.0, validator=_share)


@frozen(kw_only=True)
class ModelCard:
    """One model, ready to be handed to the inference child: it needs no file any more.

    Attributes
    ----------
    labels
        In the order of the outputs.
    modalities, planes
        Whose pictures it knows; planes (`geometry.planes`) count for slices only.
    preparation
        What makes its input of a grey picture (`predict.prepare`).
    size
        Side of the input square.
    copies
        How a picture is shown: `scored` = each of the eight turned copies gets one score, which
        together are the eight classes; `averaged` = outputs are averaged over those copies;
        `mirrored` = over the picture and its mirror image; `single` = as it is.
    reject
        How many outputs follow those of the labels and stand for what is none of them. With a
        softmax their share is what is unknown; with sigmoids the greatest of them.
    temperature
        Divides logits before they become probabilities.
    correlation
        How much neighbouring slices repeat each other, 0 to 1: n slices count as
        n / (1 + (n - 1) correlation).
    thresholds
        From which calibrated probability on a part of the answer counts as decided; the heads say
        which they look for. `label` is that of all labels, `label:CHEST` that of one.
    witnesses
        Models that an orientation asks whether it can be told from the picture.
    scores
        How sure it was of the pictures that it was measured on: ten counts, by tenths; () where the
        card does not say.
    licences
        `open` where all data it was fitted on are under a licence that lets anybody use the
        weights for anything, else `all`.
    sources
        The data sets, with their licences as stated.
    content
        The LiteRT flat buffer.
    golden
        Inputs with expected outputs, `.npz`, for `interpreter.check_golden`.
    """

    id: str
    version: str
    target: str = field(validator=validators.in_(TARGETS))
    labels: tuple[str, ...] = field(validator=validators.min_len(1))
    modalities: tuple[str, ...]
    planes: tuple[str, ...] = ("axial",)
    preparation: str = field(default="slice", validator=validators.in_(PREPARATIONS))
    size: int = field(validator=[validators.ge(8), validators.le(1024)])
    copies: str = field(validator=validators.in_(COPIES))
    reject: int = field(default=0, validator=[validators.ge(0), validators.le(64)])
    temperature: float = field(validator=validators.gt(0.0))
    correlation: float = field(validator=_share)
    thresholds: Mapping[str, float] = field(
        factory=dict, validator=validators.deep_mapping(validators.instance_of(str), _share)
    )
    witnesses: tuple[Witness, ...] = ()
    scores: tuple[int, ...] = ()
    licences: str = field(default="all", validator=validators.in_(LICENCES))
    sources: tuple[Source, ...] = ()
    digest: str
    content: bytes = field(repr=False)
    golden: Path

    @property
    def name(self) -> str:
        """The model as predictions name it."""
        return f"{self.id}@{self.version}"

    @property
    def outputs(self) -> int:
        """How many numbers it says of a picture."""
        return len(self.labels) + self.reject

    def threshold(self, name: str, default: float = UNDECIDED) -> float:
        """Return a threshold of the card, `default` where it has none of this name."""
        return self.thresholds.get(name, default)

    def label_threshold(self, label: str, default: float = UNDECIDED) -> float:
        """Return from which probability on a label counts."""
        return self.threshold(f"label:{label}", self.threshold("label", default))


@frozen
class Wanted:
    """Which packages are to be in force.

    Attributes
    ----------
    licences
        `open`: only packages of open licences; `all`: those fitted on more are preferred.
    further
        A second folder, of the site's own packages; none of them is in force unless named below.
    promoted
        Slot (`slot_of`) -> id@version, instead of the newest of the first folder.
    shadows
        id@version of models that run beside those in force.
    """

    licences: str = "all"
    further: Path | None = None
    promoted: Mapping[str, str] = field(factory=dict)
    shadows: tuple[str, ...] = ()


@frozen
class Catalog:
    """The usable model of each target, and what is wrong with others.

    Attributes
    ----------
    cards
        In force, by target; a further model of a target, for other planes, by its own id.
    shadows, defaults
        By slot (`slot_of`): running beside those in force; id@version of what is in force where
        nothing was promoted.
    """

    cards: Mapping[str, ModelCard] = field(factory=dict)
    problems: tuple[Problem, ...] = ()
    shadows: Mapping[str, ModelCard] = field(factory=dict)
    defaults: Mapping[str, str] = field(factory=dict)

    def of(self, target: str) -> ModelCard | None:
        """Return the model of a target, None where it is unavailable."""
        return self.cards.get(target)

    def every(self, target: str) -> tuple[ModelCard, ...]:
        """Return all models of a target, that of `of` first."""
        own = self.cards.get(target)
        others = (card for card in self.cards.values() if card.target == target and card is not own)
        return (*(() if own is None else (own,)), *others)

    def shadowed(self) -> "Catalog":
        """Return what would be in force if every shadow were promoted."""
        cards = (*self.cards.values(), *self.shadows.values())
        return Catalog(_keyed({slot_of(card): card for card in cards}))


def load_catalog(folder: Path, wanted: Wanted = Wanted()) -> Catalog:
    """Read the packages that are to be in force: of several versions the newest of `folder`.

    A damaged newest version makes its target unavailable rather than falling back in silence, and
    so does a promoted one.
    """
    if not _is_folder(folder):
        return Catalog(problems=(Problem(str(folder), "no such folder; models are unavailable"),))
    problems: list[Problem] = []
    packages = packages_of(folder, problems)
    usual = _usual(packages, wanted.licences, problems)
    chosen = dict(usual)
    if wanted.further is not None and _is_folder(wanted.further):
        packages = {**packages_of(wanted.further, problems), **packages}
    for slot, name in wanted.promoted.items():
        chosen.pop(slot, None)
        card = _named(name, packages, wanted, problems)
        if card is None:
            continue
        if slot_of(card) == slot:
            chosen[slot] = card
        else:
            message = (
                f"was promoted for `{slot}`, but is for `{slot_of(card)}`: nothing answers the "
                "first; promote it again, or retire it"
            )
            problems.append(Problem(name, message))
    shadows = {}
    for name in wanted.shadows:
        card = _named(name, packages, wanted, problems)
        if card is not None and chosen.get(slot_of(card)) != card:
            shadows[slot_of(card)] = card
    defaults = {slot: card.name for slot, card in usual.items()}
    return Catalog(_keyed(chosen), tuple(problems), shadows, defaults)


def slot_of(card: ModelCard) -> str:
    """Return what a model is for: its target and planes. Of one slot one model is in force."""
    return " ".join((card.target, *sorted(card.planes)))


def _keyed(by_slot: Mapping[str, ModelCard]) -> Mapping[str, ModelCard]:
    """Return the first model of each target by its target, further ones by their ids."""
    cards: dict[str, ModelCard] = {}
    for card in sorted(by_slot.values(), key=lambda card: ("axial" not in card.planes, card.id)):
        is_further = card.target in ANY_PLANE and "axial" not in card.planes
        cards[card.id if is_further or card.target in cards else card.target] = card
    return cards


def packages_of(folder: Path, problems: list[Problem] | None = None) -> dict[str, Path]:
    """Return the packages below a folder by id@version, oldest versions first."""
    found: dict[tuple[str, tuple[int, ...]], Path] = {}
    for package in sorted(folder.glob("*/*") if _is_folder(folder) else ()):
        if not _is_folder(package):
            continue
        version = _version(package.name)
        if version is not None:
            found[package.parent.name, version] = package
        elif problems is not None:
            message = "not a version; name the folder like 1.0.0"
            problems.append(Problem(str(package), message))
    return {
        f"{package.parent.name}@{package.name}": package for _, package in sorted(found.items())
    }


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except OSError:  # no right to look, for one who checks files beside a service
        return False


def _usual(
    packages: Mapping[str, Path], licences: str, problems: list[Problem]
) -> Mapping[str, ModelCard]:
    """Return by slot the newest of each id, of the licences that are wanted."""
    newest = {name.partition("@")[0]: package for name, package in packages.items()}
    cards: dict[str, ModelCard] = {}
    for package in newest.values():
        try:
            card = load_card(package)
        except ConfigurationError as error:
            problems.append(Problem(str(package), str(error)))
            continue
        if licences == "open" and card.licences != "open":
            continue
        slot = slot_of(card)
        if slot not in cards or card.licences == "all":  # what has seen more data is preferred
            cards[slot] = card
    return cards


def _named(
    name: str, packages: Mapping[str, Path], wanted: Wanted, problems: list[Problem]
) -> ModelCard | None:
    if name not in packages:
        problems.append(Problem(name, "no such package; see: qa-daemon models list"))
        return None
    try:
        card = load_card(packages[name])
    except ConfigurationError as error:
        problems.append(Problem(str(packages[name]), str(error)))
        return None
    if wanted.licences == "open" and card.licences != "open":
        message = "was fitted on data of other than open licences (models.licences: open)"
        problems.append(Problem(name, message))
        return None
    return card


def load_card(package: Path) -> ModelCard:
    """Read one package and check the digest of its weights.

    Raises
    ------
    ConfigurationError
        If a file is missing, the card is malformed, or the weights are not those of the card.
    """
    try:
        text = (package / CARD).read_text(encoding="utf-8")
        weights = package / WEIGHTS
        if weights.stat().st_size > WEIGHTS_BYTES_MAX:
            raise ConfigurationError(f"{WEIGHTS}: larger than {WEIGHTS_BYTES_MAX} bytes")
        content = weights.read_bytes()
    except (OSError, UnicodeDecodeError) as error:
        what = type(error).__name__
        raise ConfigurationError(f"package cannot be read ({what}); install it again") from error
    try:
        card = _card(_yaml(text), package, content)
    except (yaml.YAMLError, KeyError, TypeError, ValueError, AttributeError) as error:
        message = f"{CARD}: malformed ({type(error).__name__}); install the package again"
        raise ConfigurationError(message) from error
    if hashlib.sha256(content).hexdigest() != card.digest:
        raise ConfigurationError(f"{WEIGHTS}: digest differs from {CARD}; install it again")
    if (card.id, card.version) != (package.parent.name, package.name):
        raise ConfigurationError(f"{CARD}: describes {card.name}, not this folder")
    return card


def _card(said: Mapping[str, Any], package: Path, content: bytes) -> ModelCard:
    given, calibration = said["input"], said["calibration"]
    return ModelCard(
        id=str(said["id"]),
        version=str(said["version"]),
        target=str(said["target"]),
        labels=_texts(said["labels"]),
        modalities=_texts(given["modalities"]),
        planes=_texts(given.get("planes", ["axial"])),
        preparation=str(given.get("preparation", "slice")),
        size=int(given["size"]),
        copies=str(given["copies"]),
        reject=int(said.get("reject", 0)),
        temperature=float(calibration["temperature"]),
        correlation=float(calibration["correlation"]),
        thresholds={str(name): float(entry["value"]) for name, entry in said["thresholds"].items()},
        witnesses=tuple(_witness(each) for each in said.get("witnesses", ())),
        scores=tuple(map(int, said.get("scores", {}).get("counts", ()))),
        licences=str(said.get("licences", "all")),
        sources=tuple(
            Source(str(each["source"]), str(each["licence as stated"]))
            for each in said.get("data", ())
        ),
        digest=str(said["sha256"]),
        content=content,
        golden=(package / GOLDEN).absolute(),  # the child that reads it works elsewhere
    )


def _yaml(text: str) -> Any:
    # The C parser where it was built: a card of 40 sources takes 8 ms instead of 80.
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    return yaml.load(text, Loader=loader)  # noqa: S506  both are safe loaders


def _witness(said: Mapping[str, Any]) -> Witness:
    return Witness(
        target=str(said["target"]),
        sided=_texts(said.get("sided", ())),
        sideless=_texts(said.get("sideless", ())),
        known=float(said.get("known", 0.0)),
    )


def _texts(said: Any) -> tuple[str, ...]:
    if not isinstance(said, list | tuple):
        raise TypeError("a list is expected")
    return tuple(str(each) for each in said)


def _version(name: str) -> tuple[int, ...] | None:
    parts = name.split(".")
    if len(parts) != 3 or not all(part.isascii() and part.isdigit() for part in parts):
        return None
    return tuple(int(part) for part in parts)
