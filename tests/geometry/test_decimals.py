"""Decimal strings, there and back."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qa_daemon.geometry.decimals import decimal, decimal_text, decimals


@given(st.floats(-1e9, 1e9))
def test_a_written_number_fits_and_reads_back_to_nine_digits(value: float) -> None:
    text = decimal_text(value)
    assert len(text) <= 16
    assert decimal(text) == pytest.approx(value, rel=1e-8, abs=1e-300)


@given(st.floats(-1e3, 1e3))
def test_a_coordinate_is_written_to_a_millionth(value: float) -> None:
    back = decimal(decimal_text(value))
    assert back is not None
    assert abs(back - value) < 1e-6


def test_the_noise_of_binary_fractions_is_not_written() -> None:
    assert decimal_text(0.1 + 0.2) == "0.3"
    assert decimal_text(-0.0) == "0"
    assert decimal_text(-1.23456789012e-101) == "-1.23456789e-101"


def test_one_wrong_text_spoils_all() -> None:
    assert decimals(("1", "2")) == (1.0, 2.0)
    assert decimals(("1", "x")) is None
    assert decimals(()) == ()
