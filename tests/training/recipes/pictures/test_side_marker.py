from qa_daemon.records.prediction import Box
from qa_daemon.training.recipes.pictures.side_marker import Reading, _label, readings

THERE = Reading("R", Box(100.0, 50.0, 110.0, 62.0))


def test_readings_name_sides_and_boxes_within_thumbnails() -> None:
    found = readings()
    sided = [each for each in found.values() if each.label in ("L", "R")]
    assert len(sided) > 300
    for each in sided:
        if each.box is not None:
            assert 0 <= each.box.right - each.box.left < 40
            assert 0 < each.box.bottom - each.box.top < 40


def test_a_place_on_the_marker_is_one_and_a_part_of_it_is_nothing_to_learn_from() -> None:
    assert _label(Box(101.0, 51.0, 111.0, 62.0), 11.0, THERE) == "R"
    assert _label(Box(108.0, 50.0, 118.0, 62.0), 11.0, THERE) is None
    assert _label(Box(101.0, 51.0, 111.0, 62.0), 18.0, THERE) is None
    assert _label(Box(101.0, 51.0, 111.0, 62.0), 30.0, THERE) == ""
    assert _label(Box(10.0, 10.0, 20.0, 20.0), 11.0, THERE) == ""


def test_every_place_of_a_picture_without_a_marker_is_none() -> None:
    assert _label(Box(101.0, 51.0, 111.0, 62.0), 11.0, None) == ""
