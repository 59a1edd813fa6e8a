"""`qa-daemon models list`, `shadow`, `unshadow`, `promote`, `retire`: packages side by side."""

import argparse
import contextlib
import os
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from attrs import frozen
from rich.table import Table
from rich.text import Text

from qa_daemon.cli import tables
from qa_daemon.cli.modelling.shadow import Comparison, compared, print_report
from qa_daemon.cli.opened import opened, operator, require_state, settings_of
from qa_daemon.cli.printable import printable
from qa_daemon.config.packs import models_folder
from qa_daemon.config.settings import Settings
from qa_daemon.errors import ConfigurationError
from qa_daemon.pipeline.standing import Entry, Standing, change_standing, wanted_models
from qa_daemon.predict.catalog import (
    Catalog,
    ModelCard,
    load_card,
    load_catalog,
    packages_of,
    slot_of,
)
from qa_daemon.predict.interpreter import check_golden

RELOAD = "takes effect when the service reads its configuration again (SIGHUP) or starts"


@frozen
class _Known:
    """All packages, those in force among them."""

    settings: Settings
    catalog: Catalog
    packages: Mapping[str, Path]

    @classmethod
    def of(cls, settings: Settings) -> "_Known":
        folder, further = models_folder(settings), settings.site_models_folder
        packages = packages_of(further) | packages_of(folder)
        return cls(settings, load_catalog(folder, wanted_models(settings)), packages)

    def card(self, name: str) -> ModelCard:
        """Return the card of a package that somebody named, after its golden inputs.

        Raises
        ------
        ConfigurationError
            If there is none, or it cannot be used.
        """
        if name not in self.packages:
            raise ConfigurationError(
                f"{name}: there is no such package; put it into {self.settings.site_models_folder}"
                " as ID/VERSION; see: qa-daemon models list"
            )
        card = load_card(self.packages[name])
        if self.settings.models.licences == "open" and card.licences != "open":
            raise ConfigurationError(
                f"{name}: was fitted on data of other than open licences; "
                "set models.licences: all to use it"
            )
        with _native_silenced():
            check_golden(card)
        return card

    def in_force(self, card: ModelCard) -> ModelCard | None:
        """Return the model whose place another would take."""
        of_slot = {slot_of(each): each for each in self.catalog.cards.values()}
        return of_slot.get(slot_of(card))

    def standing_of(self, name: str) -> str:
        """Return what a package is: in force, promoted, shadow, or kept for another day."""
        for card in self.catalog.cards.values():
            if card.name == name:
                is_default = self.catalog.defaults.get(slot_of(card)) == name
                return "in force" if is_default else "promoted"
        return "shadow" if any(c.name == name for c in self.catalog.shadows.values()) else ""


def list_models(options: argparse.Namespace) -> int:
    """List all packages, and run the golden inputs of those that run; status 1 if one cannot."""
    known = _Known.of(settings_of(options))
    table = Table(box=None, pad_edge=False, header_style="dim")
    for name in ("model", "modalities", "licences", "standing", "golden inputs"):
        table.add_column(name, overflow="fold", no_wrap=name != "modalities")
    problems = {f"{problem.path}: {problem.message}" for problem in known.catalog.problems}
    for name, package in sorted(known.packages.items()):
        standing = known.standing_of(name)
        try:
            card = load_card(package)
            with _native_silenced():
                check_golden(card)
        except ConfigurationError as error:
            table.add_row(name, "", "", standing, Text("refused", style="bold red"))
            problems.add(f"{package}: {error}")
            continue
        golden = Text("as expected", style="green")
        modalities = ", ".join(card.modalities)
        # Most models are named for their target; of two models of one target one is not.
        of_target = "" if card.id.startswith(card.target) else f"\nfor {card.target}"
        table.add_row(f"{name}{of_target}", modalities, card.licences, standing, golden)
    tables.screen().print(table)
    _print_sources(known.catalog.cards.values())
    for problem in sorted(problems):
        print(printable(problem), file=sys.stderr)
    if not known.packages and not problems:
        folder = models_folder(known.settings)
        print(f"{folder}: no model here; rules that need one are not evaluated", file=sys.stderr)
    return 1 if problems or not known.catalog.cards else 0


def _print_sources(cards: Iterable[ModelCard]) -> None:
    """Name what the models in force were fitted on, each data set once."""
    models: dict[tuple[str, str], list[str]] = defaultdict(list)
    for card in cards:
        for source in card.sources:
            models[source.licence, source.name].append(card.id)
    if not models:
        return
    print("\nFitted or measured on, with the licence as stated there:")
    for (licence, name), ids in sorted(models.items()):
        print(printable(f"  {name} [{licence}]: {', '.join(sorted(set(ids)))}"))


def shadow(options: argparse.Namespace) -> int:
    """Let a model run in shadow, or report what the shadows would change."""
    if bool(options.model) == options.report:
        raise ConfigurationError("models shadow: give either ID@VERSION, or --report")
    settings = settings_of(options)
    if options.report:
        with opened(settings) as store:
            return print_report(compared(store, settings, options.limit), as_json=options.json)
    require_state(settings)
    known = _Known.of(settings)
    card = known.card(options.model)
    in_force = known.in_force(card)
    if in_force is not None and in_force.name == card.name:
        raise ConfigurationError(f"{card.name}: is in force already, and no shadow of itself")
    entry = _entry(card)
    change_standing(settings.state, lambda now: now.with_shadow(slot_of(card), entry))
    print(f"{card.name} runs in shadow of {in_force.name if in_force else 'no model'}; {RELOAD}")
    return 0


def promote(options: argparse.Namespace) -> int:
    """Bring a model into force; it stays there over restarts and updates."""
    settings = settings_of(options)
    require_state(settings)
    known = _Known.of(settings)
    card = known.card(options.model)
    if not options.yes:
        _require_shadow(settings, card)
    entry = _entry(card)
    change_standing(settings.state, lambda now: now.with_promoted(slot_of(card), entry))
    print(f"{card.name} answers {card.target} from now on; {RELOAD}")
    return 0


def retire(options: argparse.Namespace) -> int:
    """Take a promoted model out of force; the one that came with the release is back."""
    return _removed(options, "promoted")


def unshadow(options: argparse.Namespace) -> int:
    """End the shadow of a model."""
    return _removed(options, "in shadow")


def _removed(options: argparse.Namespace, what: str) -> int:
    settings = settings_of(options)
    require_state(settings)

    def removed(now: Standing) -> Standing:
        entries = now.promoted if what == "promoted" else now.shadows
        if all(entry.model != options.model for entry in entries.values()):
            raise ConfigurationError(
                f"{options.model}: is not {what} by command; see: qa-daemon models list, "
                "and models.shadows in service.yaml"
            )
        return now.without(options.model)

    change_standing(settings.state, removed)
    print(f"{options.model} is not {what} any more; {RELOAD}")
    return 0


def _require_shadow(settings: Settings, card: ModelCard) -> None:
    with opened(settings) as store:
        found: Comparison = compared(store, settings)
    if not any(each.model == card.name for each in found.models):
        raise ConfigurationError(
            f"{card.name}: no series was seen by it in shadow, so nobody knows what it changes; "
            f"run it first with: qa-daemon models shadow {card.name}, or add --yes"
        )


def _entry(card: ModelCard) -> Entry:
    who = operator()
    return Entry.of(card.name, who.who, who.at)


@contextlib.contextmanager
def _native_silenced() -> Iterator[None]:
    """Keep what LiteRT's native part tells of its delegates off the terminal."""
    sys.stderr.flush()
    kept = os.dup(2)
    try:
        with Path(os.devnull).open("wb") as nowhere:
            os.dup2(nowhere.fileno(), 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
