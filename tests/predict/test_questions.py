"""What is asked of a series: few frames for the models, fewer still for the table."""

from pathlib import Path

import pytest

from qa_daemon.demo.phantom import CtPlan, ct_series, part10
from qa_daemon.dicom.header import read_instance
from qa_daemon.limits import Limits
from qa_daemon.predict.catalog import load_catalog
from qa_daemon.predict.questions import (
    TABLE_FRAMES_MAX,
    Bounds,
    Request,
    asked,
    questions,
)
from qa_daemon.series.assemble import assemble

MODELS = Path(__file__).resolve().parents[2] / "models"
BOUNDS = Bounds(sampled_max=10, frames_max=1000)


@pytest.mark.parametrize(("slices", "seeking"), [(1, 1), (3, 3), (24, TABLE_FRAMES_MAX)])
def test_the_table_is_sought_in_a_few_slices_of_those_that_speak(slices: int, seeking: int) -> None:
    plan = CtPlan(slices=slices, rows=48, columns=48, pixel_spacing_mm=(8.0, 8.0))
    series = assemble([read_instance(part10(each), Limits()) for each in ct_series(plan)])
    catalog, request = load_catalog(MODELS), Request(("axial_orientation", "body_region"))
    targets = [asked(target, series, catalog, request, BOUNDS) for target in request.targets]
    every = list(questions(series, targets, BOUNDS.sampled_max))
    looked_at = [each for each in every if each.models]
    assert len(looked_at) == min(slices, BOUNDS.sampled_max)
    assert sum(each.seeks_table for each in every) == seeking
    places = [at for at, each in enumerate(looked_at) if each.seeks_table]
    # As far from the one end of the stack as from the other.
    assert abs(places[0] - (len(looked_at) - 1 - places[-1])) <= 1
