"""Model packages: which models there are, whether their files are whole, what they promise.

In: a folder of `<id>/<version>/` packages. Out: a `Catalog`. A package that is missing a file, or
whose digest does not match, is a problem and not a failure: its target becomes unavailable.
"""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import yaml
from attrs import field, frozen, validators

from qa_daemon.errors import ConfigurationError
from qa_daemon.records.prediction import TARGETS

CARD: Final = "card.yaml"
WEIGHTS: Final = "model.tflite"
GOLDEN: Final = "golden/golden.npz"
#: A package larger than this is not one of ours; it is not read into memory.
WEIGHTS_BYTES_MAX: Final = 64 << 20
#: What makes the input of a grey picture (`predict.prepare`).
PREPARATIONS: Final = ("slice", "radiograph", "picture", "displayed", "patches")
#: How an input is shown (`ModelCard.copies`).
COPIES: Final = ("scored", "averaged", "mirrored", "single")
#: What a part of an answer must reach where the card does not say: it stays undecided.
UNDECIDED: Final = 1.0

_share = validators.and_(validators.ge(0.0), validators.le(1.0))


@frozen
class Problem:
    """A package that cannot be used, with what to do."""

    path: str
    message: str


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
class Catalog:
    """The newest usable model of each target, and what is wrong with the others.

    Attributes
    ----------
    cards
        By target; a further model of a target, for other planes, by its own id.
    """

    cards: Mapping[str, ModelCard] = field(factory=dict)
    problems: tuple[Problem, ...] = ()

    def of(self, target: str) -> ModelCard | None:
        """Return the model of a target, None where it is unavailable."""
        return self.cards.get(target)

    def every(self, target: str) -> tuple[ModelCard, ...]:
        """Return all models of a target, that of `of` first."""
        own = self.cards.get(target)
        others = (card for card in self.cards.values() if card.target == target and card is not own)
        return (*(() if own is None else (own,)), *others)


def load_catalog(folder: Path) -> Catalog:
    """Read every package below `folder`; of several versions of a target the newest counts.

    A damaged newest version makes its target unavailable rather than falling back in silence.
    """
    newest: dict[str, tuple[tuple[int, ...], Path]] = {}
    problems = []
    if not folder.is_dir():
        return Catalog(problems=(Problem(str(folder), "no such folder; models are unavailable"),))
    for package in sorted(path for path in folder.glob("*/*") if path.is_dir()):
        version = _version(package.name)
        if version is None:
            problems.append(Problem(str(package), "not a version; name the folder like 1.0.0"))
        elif package.parent.name not in newest or newest[package.parent.name][0] < version:
            newest[package.parent.name] = (version, package)
    cards = {}
    for _, package in newest.values():
        try:
            card = load_card(package)
        except ConfigurationError as error:
            problems.append(Problem(str(package), str(error)))
        else:
            is_further = card.id != card.target and (package.parent.parent / card.target).is_dir()
            cards[card.id if is_further else card.target] = card
    return Catalog(cards, tuple(problems))


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
        card = _card(yaml.safe_load(text), package, content)
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
        digest=str(said["sha256"]),
        content=content,
        golden=package / GOLDEN,
    )


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
