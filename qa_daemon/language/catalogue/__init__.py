"""Catalogues of texts, one `.po` file a language."""
