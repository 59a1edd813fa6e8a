"""Text from outside, made fit for a terminal."""


def printable(text: str) -> str:
    """Return text that cannot drive the terminal: what is not printable becomes U+FFFD."""
    return "".join(each if each.isprintable() else "\ufffd" for each in text)


def printable_lines(text: str) -> str:
    """Return `printable` text with its line breaks kept."""
    return "\n".join(map(printable, text.split("\n")))
