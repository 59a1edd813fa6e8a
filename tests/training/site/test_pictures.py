from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from attrs import evolve
from pydicom import dcmread

from qa_daemon.errors import InputError
from qa_daemon.pixels.tensor import orientation_tensor
from qa_daemon.training.recipe import Origin, Plan
from qa_daemon.training.recipes import axial_orientation, body_region, recipe_of
from qa_daemon.training.site.pictures import is_site_folder, own_examples
from qa_daemon.training.slices.augment import shown

Site = Callable[..., Path]
REGION = body_region.RECIPE


def test_pictures_are_read_as_the_service_reads_them(site: Site) -> None:
    folder = site()
    assert is_site_folder(folder)
    examples = own_examples(REGION, folder)
    assert [example.labels for example in examples[:2]] == [("CHEST",), ("ABDOMEN",)]
    first = examples[0]
    assert first.in_hu
    assert first.grey().min() == -1000.0
    # Rows are 2 mm apart: the disc of 0.6 x 0.8 is taller than wide once pixels are square.
    body = first.grey() > -500
    tall, wide = (int(np.ptp(np.flatnonzero(body.any(axis=axis)))) for axis in (1, 0))
    assert tall / wide == pytest.approx(1.2 / 0.8, rel=0.05)
    assert shown(first).shape == (80, 80)
    assert first.licence == "own"


def test_what_is_stored_is_what_the_service_would_have_shown(site: Site) -> None:
    picture = own_examples(REGION, site())[7]
    served = orientation_tensor(picture.grey(), "CT")
    assert np.corrcoef(shown(picture).ravel(), served.ravel())[0, 1] > 0.99


def test_an_orientation_is_learnt_from_the_upright_picture(site: Site) -> None:
    recipe = axial_orientation.RECIPE

    def labelled(labels: str) -> Path:
        return site(lambda rows: [row.update(labels=labels) for row in rows])

    upright = own_examples(recipe, labelled("0"))[3]
    turned = own_examples(recipe, labelled("3"))[3]
    assert turned.labels == upright.labels == ("0",)
    assert np.array_equal(np.rot90(upright.pixels), turned.pixels)
    assert own_examples(recipe, labelled("1|5"))[3].labels == ("0", "4")
    with pytest.raises(InputError, match="one label is needed, or two of one turn"):
        own_examples(recipe, labelled("1|2"))


def test_accepted_suggestions_raise_no_figure_and_rejections_weigh_most(site: Site) -> None:
    def change(rows: list[dict[str, str]]) -> None:
        for row, decision in zip(rows, ("accepted", "rejected", "audit", ""), strict=False):
            row["decision"] = decision

    examples = own_examples(REGION, site(change))
    assert [example.origin.is_measured for example in examples[:4]] == [False, True, True, True]
    assert examples[0].origin is Origin.OWN_ACCEPTED
    assert [example.weight for example in examples[:4]] == [1, 4, 4, 1]


def test_files_that_cannot_be_used_are_told_all_at_once(site: Site) -> None:
    folder = site()
    (folder / "images" / "3.dcm").write_bytes(b"no DICOM at all")
    whole = (folder / "images" / "5.dcm").read_bytes()
    (folder / "images" / "5.dcm").write_bytes(whole[:-3000])
    with pytest.raises(InputError) as refused:
        own_examples(REGION, folder)
    told = str(refused.value)
    assert "images/3.dcm: " in told
    assert "images/5.dcm: " in told
    assert "Secret" not in told


def test_a_picture_of_another_modality_is_refused(site: Site) -> None:
    with pytest.raises(InputError, match=r"Modality is CT; MR expected"):
        own_examples(evolve(REGION, modalities=("MR",)), site())
    with pytest.raises(InputError, match="is not trained on own pictures"):
        own_examples(evolve(REGION, own=None), site())


def radiographs_of(folder: Path) -> None:
    """Make the pictures of a folder radiographs."""
    for path in (folder / "images").iterdir():
        data = dcmread(path)
        data.Modality = "DX"
        data.save_as(path)


@pytest.mark.parametrize(
    ("target", "labels"), [("body_part", "HAND|WRIST"), ("view", "AP|PA"), ("laterality", "L")]
)
def test_radiographs_are_taken_and_a_batch_of_them_is_drawn(
    site: Site, target: str, labels: str
) -> None:
    folder = site(lambda rows: [row.update(labels=labels) for row in rows])
    radiographs_of(folder)
    recipe = recipe_of(target)
    examples = own_examples(recipe, folder)
    assert examples[0].labels == tuple(labels.split("|"))
    assert examples[0].read().dtype == np.uint8
    assert examples[0].read().max() == 255
    assert recipe.shown(examples[0]).shape == (recipe.size, recipe.size)
    batch = recipe.draws(examples, Plan(size=recipe.size, batch=8))(0)
    assert batch.pictures.shape == (8, recipe.size, recipe.size, 1)
    assert batch.targets.any(axis=0).sum() >= len(examples[0].labels)


def test_planes_are_taken_and_a_batch_of_them_is_drawn(site: Site) -> None:
    folder = site(lambda rows: [row.update(labels="coronal") for row in rows])
    recipe = recipe_of("plane")
    examples = own_examples(recipe, folder)
    batch = recipe.draws(examples, Plan(size=recipe.size, batch=8))(0)
    assert batch.targets[:, recipe.labels.index("coronal")].sum() >= 4


def test_a_picture_without_a_label_is_refused_where_one_is_right(site: Site) -> None:
    folder = site(lambda rows: [row.update(labels="") for row in rows])
    with pytest.raises(InputError, match="no label; one is needed"):
        own_examples(axial_orientation.RECIPE, folder)
