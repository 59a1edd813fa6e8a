"""What six texts say, and what they may not be."""

import math

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from qa_daemon.geometry.cosines import (
    Cosines,
    Fault,
    are_alike,
    dot,
    length,
    orthonormal,
    orthonormality_fault,
    read_cosines,
)


def read(text: str) -> Cosines | Fault:
    return read_cosines(tuple(text.split("\\")) if text else ())


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("", "iop-missing"),
        (" ", "iop-missing"),
        ("1\\0\\0\\0\\1", "iop-invalid"),
        ("1\\0\\0\\0\\1\\0\\0", "iop-invalid"),
        ("1", "iop-invalid"),
        ("1\\\\0\\0\\1\\0", "iop-invalid"),
        ("\\\\\\\\\\", "iop-invalid"),
        ("0\\0\\0\\0\\0\\0", "iop-invalid"),
        ("1\\0\\0\\0\\0\\0", "iop-invalid"),
        ("L\\P\\0\\0\\1\\0", "iop-invalid"),
        ("NaN\\0\\0\\0\\1\\0", "iop-invalid"),
        ("inf\\0\\0\\0\\-Infinity\\0", "iop-invalid"),
        ("1e400\\0\\0\\0\\1\\0", "iop-invalid"),
        ("1,0\\0\\0\\0\\1\\0", "iop-invalid"),
        ("0x1\\0\\0\\0\\1\\0", "iop-invalid"),
        ("1_0\\0\\0\\0\\1\\0", "iop-invalid"),
        ("¹\\0\\0\\0\\1\\0", "iop-invalid"),
        ("1\0\\0\\0\\0\\1\\0", "iop-invalid"),
        ("0." + "9" * 5000 + "\\0\\0\\0\\1\\0", "iop-invalid"),
        ("\\".join(["0"] * 10000), "iop-invalid"),
    ],
)
def test_what_is_not_six_numbers_says_why(text: str, kind: str) -> None:
    answer = read(text)
    assert isinstance(answer, Fault)
    assert answer.kind == kind


@pytest.mark.parametrize(
    "text",
    [
        "2\\0\\0\\0\\2\\0",
        "1\\0\\0\\0.5\\0.866\\0",
        "1\\0\\0\\1\\0\\0",
        "1e-320\\0\\0\\0\\1\\0",
        "1\\0\\0\\0\\1.01\\0",
    ],
)
def test_what_is_not_unit_or_not_orthogonal_is_read_and_told(text: str) -> None:
    answer = read(text)
    assert isinstance(answer, Cosines)
    fault = orthonormality_fault(answer)
    assert fault is not None
    assert fault.kind == "iop-not-orthonormal"


@pytest.mark.parametrize(
    "text",
    [
        " 1 \\+0.0\\0E0\\ 0\\1.00e+00\\-0 ",
        "0.9999990\\0.0000000\\0.0000000\\0.0000000\\0.9999995\\-0.0000005",
        "1.0\\-0.0\\1e-17\\-1.2e-17\\1.0\\-0.0",
        "-1\\-6.12303177e-017\\0\\0\\0\\-1",
        "1.37e-13\\1\\4.895e-12\\-.0279215878283\\4.897e-12\\-.999610116462",
        "0.707\\0.707\\0\\-0.707\\0.707\\0",
        "0.99968681111111111\\0\\0.0250251\\0\\1\\0",
    ],
)
def test_what_devices_write_is_taken(text: str) -> None:
    answer = read(text)
    assert isinstance(answer, Cosines)
    assert orthonormality_fault(answer) is None


def test_messages_name_each_wrong_direction() -> None:
    fault = orthonormality_fault(Cosines((2, 0, 0), (0.5, 2, 0)))
    assert fault is not None
    assert "row direction" in fault.message
    assert "column direction" in fault.message
    assert "right angles" in fault.message


@example(row=(0.0, 0.0, 2.2250738585e-313), column=(0.0, 0.0, 0.0))
@given(
    row=st.tuples(*[st.floats(-2, 2)] * 3),
    column=st.tuples(*[st.floats(-2, 2)] * 3),
)
def test_made_orthonormal_they_pass_or_there_is_nothing_to_make(
    row: tuple[float, float, float], column: tuple[float, float, float]
) -> None:
    mended = orthonormal(Cosines(row, column))
    if mended is None:
        normal = Cosines(row, column).normal
        assert length(row) < 2e-3 or length(normal) <= 2e-3 * length(row)
        return
    assert orthonormality_fault(mended, 1e-9) is None
    assert dot(mended.row, row) == pytest.approx(length(row))


def test_directions_are_alike_within_a_degree() -> None:
    def leaning(degrees: float) -> Cosines:
        a = math.radians(degrees)
        return Cosines((1, 0, 0), (0, math.cos(a), math.sin(a)))

    assert are_alike(leaning(0), leaning(0.9))
    assert not are_alike(leaning(0), leaning(1.1))
    assert not are_alike(leaning(0), Cosines((0, 1, 0), (-1, 0, 0)))
    assert are_alike(leaning(0), Cosines((0.99, 0, 0), (0, 0.9, 0)))
