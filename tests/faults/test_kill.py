"""`kill -9` at random moments while two storescu send: whatever was acknowledged is there, once."""

import random
import threading
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from attrs import define, field

from tests.faults.conftest import (
    DEADLINE_S,
    Daemon,
    Drawn,
    StoreScu,
    check_judged_once,
    check_kept,
    drawn,
    eventually,
)

#: One kill in so many falls while the service starts, before any sender comes.
STARTING_SHARE = 5


@define
class Moments:
    """When to kill: after so many acknowledgements of a round and a little more."""

    seed: int
    answers_max: int
    _random: random.Random = field(init=False)
    counts: Counter[str] = field(factory=Counter, init=False)

    def __attrs_post_init__(self) -> None:
        self._random = random.Random(self.seed)  # noqa: S311  a repeatable choice

    def while_starting(self) -> float | None:
        """Return after how many seconds of its start the service is to die, None if it is not."""
        if self._random.randrange(STARTING_SHARE):
            return None
        return self._random.uniform(0.0, 2.5)

    def answers(self) -> int:
        return self._random.randint(0, self.answers_max)

    def more_s(self) -> float:
        return self._random.uniform(0.0, 0.08)


@define
class Bombardment:
    """Two storescu that send a series each, and what they were told."""

    daemon: Daemon
    series: tuple[Drawn, Drawn]
    acknowledged: tuple[set[str], set[str]] = field(factory=lambda: (set(), set()))
    statuses: Counter[str] = field(factory=Counter)

    def round(self, kill_after: int | None, more_s: float = 0.0) -> None:
        """Send what is not acknowledged, or all again; kill the service meanwhile."""
        answers = threading.Semaphore(0)
        senders = [
            StoreScu(self.daemon.port, each, told, answers.release)
            for each, told in zip(self.series, self.acknowledged, strict=True)
        ]
        for sender in senders:
            left = [uid for uid in sender.drawn.files if uid not in sender.acknowledged]
            sender.start(left or list(sender.drawn.files))
        if kill_after is not None:
            for _ in range(kill_after):
                if not answers.acquire(timeout=DEADLINE_S):
                    break
            threading.Event().wait(more_s)  # the moment itself, not a wait for something
            self.daemon.kill()
        for sender in senders:
            sender.wait()
            self.statuses += sender.statuses

    def everything(self) -> tuple[set[str], dict[str, bytes]]:
        """Return all that was acknowledged, and the bytes of all that was sent."""
        one, other = self.series
        return self.acknowledged[0] | self.acknowledged[1], {**one.bodies, **other.bodies}


def bombard(attack: Bombardment, moments: Moments, kills: int) -> None:
    """Kill the service so many times, then let the senders finish."""
    daemon = attack.daemon
    for _ in range(kills):
        dies_after = moments.while_starting()
        daemon.spawn()
        if dies_after is not None:
            threading.Event().wait(dies_after)
            daemon.kill()
            moments.counts["starting"] += 1
            continue
        daemon.await_ready()
        attack.round(moments.answers(), moments.more_s())
        moments.counts["receiving"] += 1
    daemon.start()
    attack.round(None)
    acknowledged, bodies = attack.everything()
    assert acknowledged == set(bodies)


def two_series(folder: Path, count: int) -> tuple[Drawn, Drawn]:
    return drawn(folder, "1.2.3.1", count), drawn(folder, "1.2.3.2", count)


@pytest.mark.parametrize("acknowledge", ["spool", "database"])
def test_a_killed_receiver_has_all_that_it_acknowledged(
    tmp_path: Path, daemon: Callable[..., Daemon], acknowledge: str
) -> None:
    made = daemon("receiver", receiver={"acknowledge": acknowledge})
    attack = Bombardment(made, two_series(tmp_path, 40))
    bombard(attack, Moments(seed=1, answers_max=20), kills=4)
    assert made.terminate() == 0
    acknowledged, bodies = attack.everything()
    assert check_kept(made, acknowledged, bodies) == 80


@pytest.mark.long
@pytest.mark.parametrize("acknowledge", ["spool", "database"])
def test_fifty_kills_while_two_senders_send_five_hundred_each(
    tmp_path: Path, daemon: Callable[..., Daemon], acknowledge: str
) -> None:
    made = daemon("receiver", receiver={"acknowledge": acknowledge})
    attack = Bombardment(made, two_series(tmp_path, 500))
    moments = Moments(seed=50, answers_max=40)
    begun = time.monotonic()
    bombard(attack, moments, kills=50)
    assert made.terminate() == 0
    acknowledged, bodies = attack.everything()
    assert check_kept(made, acknowledged, bodies) == 1000
    print(  # noqa: T201  the table of the long run
        f"{acknowledge}: {dict(moments.counts)} kills, answers {dict(attack.statuses)}, "
        f"1000 objects kept, {time.monotonic() - begun:.0f} s"
    )


def test_a_killed_service_judges_every_series_once(
    tmp_path: Path, daemon: Callable[..., Daemon]
) -> None:
    made = daemon()
    attack = Bombardment(made, two_series(tmp_path, 20))
    moments = Moments(seed=3, answers_max=20)
    made.start()
    attack.round(moments.answers())
    made.start()
    attack.round(None)
    # Both wait for quiet now: three kills while they are settled, predicted, judged and reported.
    for event in ("series.settled", "series.predicted", "series.judged"):
        eventually(lambda event=event: made.says(event), event)  # type: ignore[misc]  # bound now
        made.kill()
        made.start()
    eventually(lambda: made.judged(2), "both judged")
    reports = [made.state / "reports" / "1.2.3" / f"{one.series}.txt" for one in attack.series]
    eventually(lambda: all(report.is_file() for report in reports), "both reported")
    assert made.terminate() == 0
    acknowledged, bodies = attack.everything()
    assert check_kept(made, acknowledged, bodies) == 40
    check_judged_once(made)


@pytest.mark.long
@pytest.mark.parametrize("acknowledge", ["spool", "database"])
def test_the_whole_service_is_killed_at_any_moment(
    tmp_path: Path, daemon: Callable[..., Daemon], acknowledge: str
) -> None:
    # Quiet for so short a time that series settle, and are judged, between two kills.
    made = daemon(receiver={"acknowledge": acknowledge}, assembly={"quiet_s": 0.2})
    attack = Bombardment(made, two_series(tmp_path, 200))
    moments = Moments(seed=20, answers_max=30)
    bombard(attack, moments, kills=20)
    eventually(lambda: made.judged(2), "both judged")
    assert made.terminate() == 0
    acknowledged, bodies = attack.everything()
    assert check_kept(made, acknowledged, bodies) == 400
    check_judged_once(made)
    revisions = [row.revision for row in made.series()]
    print(f"{acknowledge}: {dict(moments.counts)} kills, revisions {revisions}")  # noqa: T201  the table of the long run
