import csv
from pathlib import Path

import pytest

from qa_daemon.training.licences import is_open
from qa_daemon.training.slices.datasets import slices


@pytest.mark.parametrize(
    "stated",
    [
        "CC BY 4.0 (Fraiwan et al., doi 10.17632/jf3pv98m9g.2)",
        "CC BY-SA",
        "CC0 1.0",
        "CC BY 4.0 (stated for the original Mendeley set; the mirror states none)",
        "repo LICENSE MIT",
        "repo LICENSE BSD-3-style (Harvard 2017)",
        "source README: EU ODP Legal Notice",
        "Public domain",
        "own drawing",
    ],
)
def test_licences_that_allow_every_use_are_open(stated: str) -> None:
    assert is_open(stated)


@pytest.mark.parametrize(
    "stated",
    [
        "",
        "not stated",
        "Unknown",
        "some words",
        'not stated ("research purposes only" in the README)',
        "CC BY-NC-SA 4.0",
        "source README: CC BY-NC (data set)",
        "source README: CC BY-NC 4.0 (data set); I-SPY1 itself CC BY 3.0",
        "CC BY-ND 4.0",
        "Creative Commons Attribution-NonCommercial 4.0",
        "not stated in the repository; FracAtlas itself is CC BY 4.0",
        "not stated in the repo; MRNet itself is under a Stanford research use agreement",
        "repo LICENSE Apache-2.0 (data not separately licensed)",
        "the repository has a licence file for its code; nothing stated for the images (web)",
        "README says MIT for the project; nothing stated for the images",
        "source README: MIT for the Kaggle copy; ACDC terms themselves not read",
        "MedNIST; repo has no licence file; widely given as CC BY-SA 4.0, not verified here",
        "listed as authorized for everyone",
        "README: MedPix, free for personal use and local teaching",
    ],
)
def test_silence_and_restrictions_are_not(stated: str) -> None:
    assert not is_open(stated)


@pytest.mark.shared
def test_no_open_picture_of_the_shared_data_has_a_doubtful_statement(shared_data: Path) -> None:
    statements = {item.licence for item in slices(shared_data)}
    for part in ("radiographs", "chest"):
        with (shared_data / part / "labels.csv").open(encoding="utf-8") as lines:
            statements |= {row["licence"] for row in csv.DictReader(lines)}
    chosen = {each for each in statements if is_open(each)}
    assert 10 <= len(chosen) < len(statements) / 2
    for word in ("not stated", "NC", "unknown", "research", "private"):
        assert [each for each in chosen if word.lower() in each.lower().split()] == []
