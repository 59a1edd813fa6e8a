"""Who listens to work items."""

from datetime import datetime
from typing import Final

from sqlalchemy import Connection, delete, func, insert, select

from qa_daemon.store.database import Store
from qa_daemon.store.workitems.tables import workitem_subscriptions

#: Stands for all work items, later ones too.
ALL: Final = 0
#: Of one user; a program that subscribes to each item listens to the whole list instead.
SUBSCRIPTIONS_MAX: Final = 1000


def subscribe(store: Store, ae_title: str, finding_id: int, user_id: int, at: datetime) -> bool:
    """Keep a subscription; False if the user has too many, or the title is another user's."""
    with store.taking_turns() as connection:
        owner = _owner(connection, ae_title)
        count = select(func.count()).where(workitem_subscriptions.c.user_id == user_id)
        is_full = (connection.scalar(count) or 0) >= SUBSCRIPTIONS_MAX
        if owner not in {None, user_id} or is_full:
            return False
        connection.execute(
            delete(workitem_subscriptions).where(
                workitem_subscriptions.c.ae_title == ae_title,
                workitem_subscriptions.c.finding_id == finding_id,
            )
        )
        values = {
            "ae_title": ae_title,
            "finding_id": finding_id,
            "user_id": user_id,
            "at": at,
        }
        connection.execute(insert(workitem_subscriptions).values(values))
    return True


def unsubscribe(store: Store, ae_title: str, finding_id: int, user_id: int) -> bool:
    """End a subscription, and with that to all of them the single ones too; False if none was."""
    own = [
        workitem_subscriptions.c.ae_title == ae_title,
        workitem_subscriptions.c.user_id == user_id,
    ]
    if finding_id != ALL:
        own.append(workitem_subscriptions.c.finding_id == finding_id)
    with store.writing() as connection:
        return connection.execute(delete(workitem_subscriptions).where(*own)).rowcount > 0


def suspend(store: Store, ae_title: str, user_id: int) -> bool:
    """Hear of no later work items any more; single subscriptions stay."""
    own = (
        workitem_subscriptions.c.ae_title == ae_title,
        workitem_subscriptions.c.user_id == user_id,
        workitem_subscriptions.c.finding_id == ALL,
    )
    with store.writing() as connection:
        return connection.execute(delete(workitem_subscriptions).where(*own)).rowcount > 0


def subscriptions(store: Store, ae_title: str, user_id: int) -> frozenset[int]:
    """Return what a title of a user listens to; `ALL` among them = everything."""
    own = select(workitem_subscriptions.c.finding_id).where(
        workitem_subscriptions.c.ae_title == ae_title,
        workitem_subscriptions.c.user_id == user_id,
    )
    with store.reading() as connection:
        return frozenset(connection.scalars(own))


def is_listened_to(connection: Connection, finding_id: int) -> bool:
    """Whether anybody has subscribed to a work item."""
    own = (
        select(func.count())
        .select_from(workitem_subscriptions)
        .where(workitem_subscriptions.c.finding_id.in_((ALL, finding_id)))
    )
    return bool(connection.scalar(own))


def _owner(connection: Connection, ae_title: str) -> int | None:
    own = (
        select(workitem_subscriptions.c.user_id)
        .where(workitem_subscriptions.c.ae_title == ae_title)
        .limit(1)
    )
    return connection.scalar(own)
