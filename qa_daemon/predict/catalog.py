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

CARD: Final = "card.yaml"
WEIGHTS: Final = "model.tflite"
GOLDEN: Final = "golden/golden.npz"
#: A package larger than this is not one of ours; it is not read into memory.
WEIGHTS_BYTES_MAX: Final = 64 << 20

_share = validators.and_(validators.ge(0.0), validators.le(1.0))


@frozen
class Problem:
    """A package that cannot be used, with what to do."""

    path: str
    message: str


@frozen(kw_only=True)
class Thresholds:
    """From which calibrated probability on a part of the answer counts as decided.

    Attributes
    ----------
    turn, mirror
        Of the series or the single picture (`axial_orientation`).
    turn_slice, mirror_slice
        The same where slices count as fewer than two: too few neighbours to agree.
    organs
        Probability of chest or abdomen from which on a slice may speak about the mirror.
    known
        A slice on which no region reaches this shows nothing that the models know.
    label
        From which on a label of a multi-label target is accepted.
    """

    turn: float = field(default=1.0, validator=_share)
    mirror: float = field(default=1.0, validator=_share)
    turn_slice: float = field(default=1.0, validator=_share)
    mirror_slice: float = field(default=1.0, validator=_share)
    organs: float = field(default=0.5, validator=_share)
    known: float = field(default=0.0, validator=_share)
    label: float = field(default=0.5, validator=_share)


@frozen(kw_only=True)
class ModelCard:
    """One model, ready to be handed to the inference child: it needs no file any more.

    Attributes
    ----------
    labels
        In the order of the outputs.
    size
        Side of the input square (`pixels.tensor`).
    copies
        How a slice is shown: `scored` = each of the eight turned copies gets one score, which
        together are the eight classes; `averaged` = outputs are averaged over those copies.
    temperature
        Divides logits before they become probabilities.
    correlation
        How much neighbouring slices repeat each other, 0 to 1: n slices count as
        n / (1 + (n - 1) correlation).
    content
        The LiteRT flat buffer.
    golden
        Inputs with expected outputs, `.npz`, for `interpreter.check_golden`.
    """

    id: str
    version: str
    target: str
    labels: tuple[str, ...]
    modalities: tuple[str, ...]
    size: int = field(validator=[validators.ge(8), validators.le(1024)])
    copies: str = field(validator=validators.in_(("scored", "averaged")))
    temperature: float = field(validator=validators.gt(0.0))
    correlation: float = field(validator=_share)
    thresholds: Thresholds
    digest: str
    content: bytes = field(repr=False)
    golden: Path

    @property
    def name(self) -> str:
        """The model as predictions name it."""
        return f"{self.id}@{self.version}"


@frozen
class Catalog:
    """The newest usable model of each target, and what is wrong with the others."""

    cards: Mapping[str, ModelCard] = field(factory=dict)
    problems: tuple[Problem, ...] = ()

    def of(self, target: str) -> ModelCard | None:
        """Return the model of a target, None where it is unavailable."""
        return self.cards.get(target)


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
            cards[card.target] = card
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
    thresholds = {key: float(entry["value"]) for key, entry in said["thresholds"].items()}
    return ModelCard(
        id=str(said["id"]),
        version=str(said["version"]),
        target=str(said["target"]),
        labels=tuple(str(label) for label in said["labels"]),
        modalities=tuple(str(modality) for modality in given["modalities"]),
        size=int(given["size"]),
        copies=str(given["copies"]),
        temperature=float(calibration["temperature"]),
        correlation=float(calibration["correlation"]),
        thresholds=Thresholds(**thresholds),
        digest=str(said["sha256"]),
        content=content,
        golden=package / GOLDEN,
    )


def _version(name: str) -> tuple[int, ...] | None:
    parts = name.split(".")
    if len(parts) != 3 or not all(part.isascii() and part.isdigit() for part in parts):
        return None
    return tuple(int(part) for part in parts)
