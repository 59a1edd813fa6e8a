"""SVG as text, every value of it escaped."""

from collections.abc import Iterable
from html import escape

#: What XML 1.0 cannot hold even as a reference, bar tab, line feed and carriage return.
_FORBIDDEN = {code: "\ufffd" for code in range(32) if code not in {9, 10, 13}}


def element(name: str, inner: str = "", /, **attributes: object) -> str:
    """Return one element.

    Parameters
    ----------
    inner
        Markup that this module has made, or `text(...)`.
    attributes
        Written with `-` for `_`, a last `_` left out (`class_`); those that are None are left out.
    """
    written = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{_attribute(value)}"'
        for key, value in attributes.items()
        if value is not None
    )
    return f"<{name}{written}>{inner}</{name}>" if inner else f"<{name}{written}/>"


def text(value: str) -> str:
    """Return text as markup shows it."""
    return escape(value.translate(_FORBIDDEN), quote=False)


def joined(parts: Iterable[str]) -> str:
    """Return markup after markup."""
    return "".join(parts)


def percent(share: float) -> str:
    """Return a place across the plot, 0 the left edge and 1 the right one."""
    return f"{100 * share:.3f}%"


def pixels(value: float) -> str:
    """Return a height or a place down the plot."""
    return f"{value:.1f}"


def _attribute(value: object) -> str:
    return escape(str(value).translate(_FORBIDDEN))
