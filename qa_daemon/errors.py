"""The error family: three branches, because there are three answers.

A bug is none of these: it stays a plain exception and ends the step.
Messages say what, where and what to do, and never hold a patient's value.
"""


class QaDaemonError(Exception):
    """What the product itself raises; its text may be shown to the user as it stands."""


class ConfigurationError(QaDaemonError):
    """The site mends this: start is refused, a reload is ignored."""


class InputError(QaDaemonError):
    """The sender mends this: the object is set aside and never tried again."""


class RetryableError(QaDaemonError):
    """Time mends this: the step is tried again after a pause."""
