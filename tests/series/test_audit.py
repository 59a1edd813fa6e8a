from hypothesis import given
from hypothesis import strategies as st

from qa_daemon.series.audit import is_audited

UIDS = [f"1.2.840.{number}.{number % 7}" for number in range(20_000)]


def test_the_sample_has_about_its_share_and_is_the_same_each_time() -> None:
    drawn = [uid for uid in UIDS if is_audited(uid, 0.005)]
    assert 70 <= len(drawn) <= 130  # three deviations around 100
    assert drawn == [uid for uid in UIDS if is_audited(uid, 0.005)]


@given(st.text(), st.floats(0, 1), st.floats(0, 1))
def test_a_larger_share_only_adds(uid: str, one: float, other: float) -> None:
    small, large = sorted((one, other))
    assert not is_audited(uid, small) or is_audited(uid, large)
    assert is_audited(uid, 1.0)
    assert not is_audited(uid, 0.0)
