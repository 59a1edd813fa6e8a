import pytest

from qa_daemon.geometry.letters import EdgeLetters, direction_letters, edge_letters


@pytest.mark.parametrize(
    ("direction", "letters"),
    [
        ((1, 0, 0), "L"),
        ((-1, 0, 0), "R"),
        ((0, 1, 0), "P"),
        ((0, -2, 0), "A"),
        ((0, 0, 1), "H"),
        ((0, 0, -1), "F"),
        ((0, 0.94, 0.34), "PH"),
        ((-0.6, -0.55, 0.58), "RHA"),
        ((0.99, 0.1, 0.1), "L"),
    ],
)
def test_the_principal_direction_comes_first(
    direction: tuple[float, float, float], letters: str
) -> None:
    assert direction_letters(direction) == letters


def test_an_exact_axial_slice_shows_the_patients_left_on_the_right() -> None:
    assert edge_letters((1, 0, 0), (0, 1, 0)) == EdgeLetters("R", "L", "A", "P")


def test_a_mirrored_tag_exchanges_left_and_right_only() -> None:
    assert edge_letters((-1, 0, 0), (0, 1, 0)) == EdgeLetters("L", "R", "A", "P")
