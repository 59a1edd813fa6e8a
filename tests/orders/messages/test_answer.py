"""What is answered."""

import hl7

from qa_daemon.orders.messages.answer import answer, batched
from qa_daemon.orders.messages.syntax import read_message
from tests.orders.messages.conftest import WHOLE


def test_the_answer_is_one_that_another_reader_understands() -> None:
    said = hl7.parse(answer(read_message(WHOLE), "AA", "", "20260301080001").decode())
    assert str(said["MSA"][0][1]) == "AA"
    assert str(said["MSA"][0][2]) == "M1"
    assert str(said["MSH"][0][5]) == "RIS"
    refused = hl7.parse(answer(None, "AR", "no message", "20260301080001").decode())
    assert str(refused["MSA"][0][1]) == "AR"


def test_the_answers_to_a_batch_are_a_batch() -> None:
    one = answer(read_message(WHOLE), "AA", "", "20260301080001")
    lines = batched([one, one], "20260301080001").decode().split("\r")
    assert [line[:3] for line in lines] == ["BHS", "MSH", "MSA", "MSH", "MSA", "BTS", ""]
    assert lines[-2] == "BTS|2"
