"""The names of log events. Operators alert on them: a name is never reworded and never reused."""

from enum import StrEnum


class LogEvent(StrEnum):
    """What one line of the log says; the facts stand beside it under allowed keys."""

    # --- processes
    SERVICE_STARTED = "service.started"
    SERVICE_READY = "service.ready"
    SERVICE_REFUSED = "service.refused"  # a start that the site has to mend first
    ROLE_STARTED = "role.started"
    ROLE_ENDED = "role.ended"
    ROLE_WAITING = "role.waiting"  # store or spool are away; tried again until they are back
    BUG = "bug"  # an exception that nobody foresaw; without its message, which may quote a value
    LIBRARY_WARNED = "library.warned"  # a library's own warning; where it was given, not what

    # --- configuration
    CONFIGURATION_RELOADED = "configuration.reloaded"
    CONFIGURATION_REJECTED = "configuration.rejected"  # the old one stays in force

    # --- the web
    WEB_LISTENING = "web.listening"
    AUDIT_UNSENT = "audit.unsent"  # the receiver of the audit is away; tried again
    AUDIT_BACKLOG = "audit.backlog"  # more waits for it than the site finds right

    # --- the receiver
    CONNECTION_REFUSED = "connection.refused"  # before any association: too many, too slow
    ASSOCIATION_OPENED = "association.opened"
    ASSOCIATION_REFUSED = "association.refused"
    ASSOCIATION_ENDED = "association.ended"
    ASSOCIATION_ABORTED = "association.aborted"
    INSTANCE_ACCEPTED = "instance.accepted"
    INSTANCE_REPEATED = "instance.repeated"  # the same bytes again
    INSTANCE_CONFLICTED = "instance.conflicted"  # the same UID with other bytes
    INSTANCE_REFUSED = "instance.refused"
    INSTANCE_QUARANTINED = "instance.quarantined"

    # --- the watched folder
    FOLDER_WATCHED = "folder.watched"
    FOLDER_UNREADABLE = "folder.unreadable"
    FOLDER_SCANNED = "folder.scanned"
    FILE_TAKEN = "file.taken"
    FILE_REJECTED = "file.rejected"
    FILE_VANISHED = "file.vanished"
    FILE_LEFT = "file.left"  # could not be moved or deleted after its commit

    # --- the way of a series
    SERIES_SETTLED = "series.settled"
    SERIES_PREDICTED = "series.predicted"
    SERIES_JUDGED = "series.judged"
    SERIES_DRAWN = "series.drawn"  # its pictures for people
    SERIES_QUARANTINED = "series.quarantined"
    STEP_FAILED = "step.failed"  # tried again later
    LEASE_LOST = "lease.lost"  # another worker has the series; nothing was written
    REPORT_WRITTEN = "report.written"
    REPORT_UNWRITABLE = "report.unwritable"

    # --- what leaves
    EXPORT_SENT = "export.sent"
    EXPORT_POSTPONED = "export.postponed"  # no answer, or not now; tried again
    EXPORT_REFUSED = "export.refused"  # for good; parked until a person looks

    # --- orders
    ORDERS_TOLD = "orders.told"  # by a message, or by a peer that was asked
    ORDERS_UNKNOWN = "orders.unknown"  # a peer did not answer; it is asked again
    ORDER_MESSAGE_REFUSED = "message.refused"

    # --- models and rules
    MODEL_LOADED = "model.loaded"
    MODEL_UNAVAILABLE = "model.unavailable"
    MODEL_SOURCES = "model.sources"  # what a model was fitted on, and under which licences
    RULES_LOADED = "rules.loaded"
    RULE_FAULT = "rule.fault"

    # --- spool, store, disk
    SPOOL_UNWRITABLE = "spool.unwritable"
    SPOOL_DAMAGED = "spool.damaged"  # a record whose checksum does not hold
    SPOOL_ADOPTED = "spool.adopted"  # records without a row got theirs
    SPOOL_REMOVED = "spool.removed"
    INDEX_LATE = "index.late"
    STORE_LOCKED = "store.locked"
    STORE_LOST = "store.lost"  # rows without a spool record, or no database
    DISK_LOW = "disk.low"
    DISK_RECOVERED = "disk.recovered"
