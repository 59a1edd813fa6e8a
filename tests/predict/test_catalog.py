import shutil
from pathlib import Path

import pytest
import yaml

from qa_daemon.errors import ConfigurationError
from qa_daemon.predict import prepare
from qa_daemon.predict.catalog import (
    PREPARATIONS,
    UNDECIDED,
    Wanted,
    Witness,
    load_card,
    load_catalog,
    packages_of,
)
from qa_daemon.predict.interpreter import check_golden

REGION = "body_region axial"
SHIPPED = Path(__file__).resolve().parents[2] / "models"
PACKAGES = sorted(path.parent for path in SHIPPED.glob("*/*/card.yaml"))
TARGETS = {path.parent.name for path in PACKAGES}


@pytest.fixture
def models(tmp_path: Path) -> Path:
    """Copy the shipped packages to where a test may break them."""
    return Path(shutil.copytree(SHIPPED, tmp_path / "models"))


def package(models: Path, target: str = "body_region") -> Path:
    (found,) = (models / target).iterdir()
    return found


def test_the_shipped_models_load_without_a_problem() -> None:
    catalog = load_catalog(SHIPPED)
    assert catalog.problems == ()
    assert set(catalog.cards) == TARGETS >= {"axial_orientation", "body_region"}
    orientation = catalog.of("axial_orientation")
    assert orientation is not None
    assert orientation.labels == tuple("01234567")
    assert orientation.name.startswith("axial_orientation@")


@pytest.mark.parametrize("folder", PACKAGES, ids=lambda folder: folder.parent.name)
def test_a_shipped_package_is_whole_small_and_answers_as_when_it_was_made(folder: Path) -> None:
    card = load_card(folder)
    check_golden(card)
    assert len(card.content) < 3 << 20
    for name in ("CARD.md", "labels.yaml", "metrics.json"):
        assert (folder / name).stat().st_size > 0
    said = yaml.safe_load((folder / "card.yaml").read_text(encoding="utf-8"))
    assert all(each["licence as stated"] for each in said["data"])
    assert card.threshold("mirror") >= card.threshold("turn")


def test_weights_that_are_not_those_of_the_card_make_the_target_unavailable(models: Path) -> None:
    weights = package(models) / "model.tflite"
    weights.write_bytes(weights.read_bytes()[:-1] + b"x")
    catalog = load_catalog(models)
    assert set(catalog.cards) == TARGETS - {"body_region"}
    (problem,) = catalog.problems
    assert "digest differs" in problem.message
    assert problem.path == str(package(models))


def test_a_missing_file_is_a_problem(models: Path) -> None:
    (package(models) / "model.tflite").unlink()
    (problem,) = load_catalog(models).problems
    assert "cannot be read" in problem.message


@pytest.mark.parametrize(
    "text", ["", "[]", "id: [", "id: a\nversion: 1.0.0", "\x00", "labels: {a: !!python/name:os x}"]
)
def test_a_malformed_card_is_a_problem(models: Path, text: str) -> None:
    (package(models) / "card.yaml").write_text(text, encoding="utf-8")
    (problem,) = load_catalog(models).problems
    assert "malformed" in problem.message


@pytest.mark.parametrize(
    ("key", "value"),
    [("input", {"size": 4, "copies": "scored", "modalities": []}), ("labels", None)],
)
def test_a_card_with_impossible_values_is_a_problem(models: Path, key: str, value: object) -> None:
    path = package(models) / "card.yaml"
    said = yaml.safe_load(path.read_text(encoding="utf-8"))
    path.write_text(yaml.safe_dump(said | {key: value}), encoding="utf-8")
    assert "malformed" in load_catalog(models).problems[0].message


def test_a_package_in_the_wrong_folder_is_a_problem(models: Path) -> None:
    package(models).rename(models / "body_region" / "9.9.9")
    (problem,) = load_catalog(models).problems
    assert "not this folder" in problem.message


def test_the_newest_version_counts_and_is_compared_as_numbers(models: Path) -> None:
    old = package(models)
    for version in ("10.0.0", "9.0.0"):
        new = Path(shutil.copytree(old, old.parent / version))
        said = yaml.safe_load((new / "card.yaml").read_text(encoding="utf-8"))
        (new / "card.yaml").write_text(
            yaml.safe_dump(said | {"version": version}), encoding="utf-8"
        )
    card = load_catalog(models).of("body_region")
    assert card is not None
    assert card.version == "10.0.0"


def test_a_folder_that_is_no_version_is_a_problem_and_nothing_more(models: Path) -> None:
    (models / "body_region" / "draft").mkdir()
    catalog = load_catalog(models)
    assert set(catalog.cards) == TARGETS
    assert "not a version" in catalog.problems[0].message


def test_a_missing_models_folder_is_a_problem(tmp_path: Path) -> None:
    catalog = load_catalog(tmp_path / "absent")
    assert catalog.cards == {}
    assert "no such folder" in catalog.problems[0].message


def test_oversized_weights_are_not_read(models: Path) -> None:
    with (package(models) / "model.tflite").open("r+b") as weights:
        weights.truncate((64 << 20) + 1)
    with pytest.raises(ConfigurationError, match="larger than"):
        load_card(package(models))


def rewritten(models: Path, **said: object) -> Path:
    path = package(models) / "card.yaml"
    card = yaml.safe_load(path.read_text(encoding="utf-8"))
    card["input"] |= said.pop("input", {})
    path.write_text(yaml.safe_dump(card | said), encoding="utf-8")
    return package(models)


def test_a_card_says_how_its_input_is_made_and_what_it_knows(models: Path) -> None:
    card = load_card(
        rewritten(
            models,
            input={"preparation": "radiograph", "copies": "mirrored", "planes": ["coronal"]},
            reject=2,
            thresholds={"label": {"value": 0.7, "how": "x"}, "label:HEAD": {"value": 0.9}},
            witnesses=[{"target": "view", "sideless": ["LATERAL"], "known": 0.25}],
        )
    )
    assert (card.preparation, card.copies, card.planes) == ("radiograph", "mirrored", ("coronal",))
    assert card.outputs == len(card.labels) + 2
    assert card.label_threshold("HEAD") == 0.9
    assert card.label_threshold("NECK") == 0.7
    assert card.threshold("turn") == UNDECIDED
    assert card.witnesses == (Witness(target="view", sideless=("LATERAL",), known=0.25),)


@pytest.mark.parametrize(
    "said",
    [
        {"input": {"preparation": "magic"}},
        {"input": {"copies": "twice"}},
        {"input": {"modalities": "CT"}},
        {"target": "weather"},
        {"reject": -1},
        {"labels": []},
        {"thresholds": {"label": {"value": 1.5}}},
        {"thresholds": {"label": 0.5}},
        {"witnesses": [{"target": "weather"}]},
    ],
)
def test_a_card_that_says_what_nobody_knows_is_a_problem(
    models: Path, said: dict[str, object]
) -> None:
    with pytest.raises(ConfigurationError, match="malformed"):
        load_card(rewritten(models, **said))


def test_a_target_may_have_a_further_model_for_other_planes(models: Path) -> None:
    own = package(models)
    further = models / "body_region_upright" / own.name
    shutil.copytree(own, further)
    said = yaml.safe_load((further / "card.yaml").read_text(encoding="utf-8"))
    said["id"] = "body_region_upright"
    said["input"]["planes"] = ["sagittal", "coronal"]
    (further / "card.yaml").write_text(yaml.safe_dump(said), encoding="utf-8")
    catalog = load_catalog(models)
    assert catalog.problems == ()
    first, second = catalog.every("body_region")
    assert first is catalog.of("body_region")
    assert (second.id, second.planes) == ("body_region_upright", ("sagittal", "coronal"))


def test_every_preparation_that_a_card_may_name_is_made() -> None:
    assert set(prepare.PREPARATIONS) == set(PREPARATIONS)


def versions(models: Path, *said: dict[str, object]) -> list[str]:
    """Make newer packages of the shipped region model, each with its card changed."""
    old, names = package(models), []
    for number, changes in enumerate(said, start=2):
        new = Path(shutil.copytree(old, old.parent / f"{number}.0.0"))
        card = yaml.safe_load((new / "card.yaml").read_text(encoding="utf-8"))
        text = yaml.safe_dump(card | {"version": f"{number}.0.0"} | changes)
        (new / "card.yaml").write_text(text, encoding="utf-8")
        names.append(f"body_region@{number}.0.0")
    return names


def test_what_was_promoted_is_in_force_and_the_newest_stays_known(models: Path) -> None:
    old, newest = f"body_region@{package(models).name}", versions(models, {})[0]
    catalog = load_catalog(models, Wanted(promoted={REGION: old}, shadows=(newest, old)))
    card = catalog.of("body_region")
    assert card is not None
    assert card.name == old
    assert catalog.defaults[REGION] == newest
    assert [each.name for each in catalog.shadows.values()] == [newest]
    would = catalog.shadowed().of("body_region")
    assert would is not None
    assert would.name == newest


def test_a_promoted_package_that_is_missing_is_not_replaced_in_silence(models: Path) -> None:
    catalog = load_catalog(models, Wanted(promoted={REGION: "body_region@7.7.7"}))
    assert catalog.of("body_region") is None
    assert "no such package" in catalog.problems[0].message


def test_packages_of_the_site_count_only_if_they_are_named(models: Path, tmp_path: Path) -> None:
    site = Path(shutil.copytree(SHIPPED, tmp_path / "site"))
    name = versions(site, {})[0]
    usual = load_catalog(models, Wanted(further=site))
    assert usual.cards.keys() == load_catalog(models).cards.keys()
    assert name not in {card.name for card in usual.cards.values()}
    promoted = load_catalog(models, Wanted(further=site, promoted={REGION: name}))
    card = promoted.of("body_region")
    assert card is not None
    assert card.name == name


def test_of_two_sets_the_one_that_has_seen_more_is_preferred(models: Path) -> None:
    old = package(models)
    of_open = Path(shutil.copytree(old, models / "body_region_open" / old.name))
    card = yaml.safe_load((of_open / "card.yaml").read_text(encoding="utf-8"))
    said = card | {"id": "body_region_open", "licences": "open"}
    (of_open / "card.yaml").write_text(yaml.safe_dump(said), encoding="utf-8")
    for licences, name in (("all", "body_region"), ("open", "body_region_open")):
        found = load_catalog(models, Wanted(licences=licences)).of("body_region")
        assert found is not None
        assert found.id == name
    shadow = Wanted(licences="open", shadows=(f"body_region@{old.name}",))
    assert "other than open licences" in load_catalog(models, shadow).problems[0].message


def test_a_card_names_its_sources_with_their_licences() -> None:
    card = load_catalog(SHIPPED).of("body_region")
    assert card is not None
    assert len(card.sources) > 10
    assert all(source.name and source.licence for source in card.sources)


def test_a_site_folder_that_nobody_may_look_into_is_none(models: Path, tmp_path: Path) -> None:
    # A path through a file cannot be looked at either, whoever asks (root may look anywhere).
    (tmp_path / "file").write_bytes(b"")
    assert load_catalog(models, Wanted(further=tmp_path / "file" / "models")).problems == ()
    assert packages_of(tmp_path / "absent") == {}
