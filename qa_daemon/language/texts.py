"""Catalogues of texts: gettext's `.po` files, read when first asked for."""

import gettext
from collections.abc import Callable, Mapping
from functools import cache
from importlib import resources
from typing import Final

from attrs import frozen
from babel.messages.pofile import read_po

#: The languages that have a catalogue, the first where nothing else is known.
LANGUAGES: Final = ("en", "de")


@frozen
class Texts:
    """One language's texts.

    Attributes
    ----------
    forms
        Singular and plural forms, in the order of the catalogue's rule, by context and id.
    form_of
        Which of the forms a count takes.
    """

    forms: Mapping[tuple[str, str], tuple[str, ...]]
    form_of: Callable[[int], int]

    def text(self, context: str, name: str, count: int = 1) -> str | None:
        """Return a text; None if the catalogue has none."""
        forms = self.forms.get((context, name))
        if forms is None:
            return None
        return forms[min(self.form_of(count), len(forms) - 1)]


@cache
def texts_in(language: str) -> Texts:
    """Return the catalogue of one of `LANGUAGES`."""
    assert language in LANGUAGES
    folder = resources.files("qa_daemon.language.catalogue")
    with folder.joinpath(f"{language}.po").open("rb") as file:
        read = read_po(file, locale=language)
    forms: dict[tuple[str, str], tuple[str, ...]] = {}
    for message in read:
        name = message.id if isinstance(message.id, str) else message.id[0]
        said = message.string if isinstance(message.string, list | tuple) else (message.string,)
        if name and all(said):
            forms[message.context or "", name] = tuple(map(str, said))
    return Texts(forms, gettext.c2py(read.plural_expr))
