"""The values that pixels can have, by their tags."""

import pytest

from qa_daemon.rules.checks.image.greys import value_range
from qa_daemon.rules.prove import case_series
from qa_daemon.rules.schema import CaseSeries, Operand


def of(**tags: Operand) -> tuple[float, float] | None:
    return value_range(case_series(CaseSeries(tags)).instances[0].elements)


def test_bits_and_rescale_bound_the_values() -> None:
    assert of(BitsStored=12, PixelRepresentation=0) == (0, 4095)
    assert of(BitsStored=12, PixelRepresentation=1) == (-2048, 2047)
    rescaled = of(BitsStored=12, PixelRepresentation=0, RescaleSlope=2, RescaleIntercept=-1024)
    assert rescaled == (-1024, 7166)


def test_a_negative_slope_turns_the_ends_round() -> None:
    assert of(BitsStored=8, PixelRepresentation=0, RescaleSlope=-1, RescaleIntercept=0) == (-255, 0)


@pytest.mark.parametrize(
    "tags",
    [
        {},
        {"BitsStored": 0},
        {"BitsStored": 64},
        {"BitsStored": 12, "RescaleSlope": "one"},
        {"BitsStored": 12, "ModalityLUTSequence": ({},)},
    ],
)
def test_what_is_not_known_bounds_nothing(tags: dict[str, Operand]) -> None:
    assert of(**tags) is None
