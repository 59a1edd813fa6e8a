"""Python checks that rules name in `check: {registered: NAME}`: what conditions cannot say.

In: the facts of a series or a study. Out: hits, or why there is no verdict.
"""

from qa_daemon.rules.checks import (
    attributes,
    orders,
    orientation,
    sameness,
    stack,
    study,
    uids,
)
from qa_daemon.rules.checks.described import parts, sides
from qa_daemon.rules.checks.image import greys as grey_values
from qa_daemon.rules.checks.image import spacing, texts
from qa_daemon.rules.checks.part import named
from qa_daemon.rules.checks.patient import identity, numbers, times
from qa_daemon.rules.checks.planes import frames, upright
from qa_daemon.rules.checks.projection import directions, greys, view
from qa_daemon.rules.checks.side import laterality
from qa_daemon.rules.checks.station import clock, elsewhere, habits, series_set
from qa_daemon.rules.checks.visit import assigned

REGISTERED = (
    assigned,
    attributes,
    clock,
    directions,
    elsewhere,
    frames,
    grey_values,
    greys,
    habits,
    identity,
    laterality,
    named,
    numbers,
    orders,
    orientation,
    parts,
    sameness,
    series_set,
    sides,
    spacing,
    stack,
    study,
    texts,
    times,
    uids,
    upright,
    view,
)
