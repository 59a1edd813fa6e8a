"""How each person likes the queue: language, theme, keys, views of their own."""

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from attrs import field, frozen
from sqlalchemy import insert, select, update

from qa_daemon.store import documents
from qa_daemon.store.database import Store
from qa_daemon.store.listing.tables import preferences

#: Views that one person may keep; more than fit beside a list are found by nobody.
VIEWS_MAX: Final = 20


@frozen
class View:
    """A filter under a name, as it stands in the address."""

    name: str
    query: str


@frozen(kw_only=True)
class Preferences:
    """Of one person.

    Attributes
    ----------
    language, theme
        "" leaves it to the browser.
    keys
        Strokes by act, where they differ from the usual ones; "" = none.
    single_keys
        Whether single letters work at all (WCAG 2.1.4).
    """

    language: str = ""
    theme: str = ""
    keys: Mapping[str, str] = field(factory=dict)
    single_keys: bool = True
    views: tuple[View, ...] = ()


def preferences_of(store: Store, who: str) -> Preferences:
    """Return what a person likes; the usual where they said nothing."""
    statement = select(preferences.c.document).where(preferences.c.who == who)
    with store.reading() as connection:
        text = connection.scalar(statement)
    return Preferences() if text is None else documents.read(text, Preferences)


def prefer(store: Store, who: str, preferred: Preferences, now: datetime) -> None:
    """Keep what a person likes."""
    values = {"document": documents.written(preferred), "changed_at": now}
    with store.writing() as connection:
        own = preferences.c.who == who
        if connection.execute(update(preferences).where(own).values(values)).rowcount == 0:
            connection.execute(insert(preferences).values(values | {"who": who}))
