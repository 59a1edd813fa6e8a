"""Every text of the pages is in the German catalogue."""

import ast
from pathlib import Path

from jinja2 import Environment
from jinja2.ext import extract_from_ast

from qa_daemon.language.texts import texts_in
from qa_daemon.web.keys import KEYS

PACKAGE = Path(__file__).resolve().parents[2] / "qa_daemon"
TEMPLATES = PACKAGE / "web" / "templates"
#: Words that both languages write alike, and texts that name nothing but their parts.
SAYING = {"say", "count"}


def of_templates() -> dict[str, str]:
    """Return the texts of all templates, each with a file that has it."""
    environment = Environment(extensions=["jinja2.ext.i18n"], autoescape=True)
    found = {}
    for path in sorted(TEMPLATES.rglob("*.html")):
        source = path.read_text(encoding="utf-8")
        for _, _, message in extract_from_ast(environment.parse(source)):
            text = message if isinstance(message, str) else (message or ("",))[0]
            if text:
                found[text] = str(path.relative_to(TEMPLATES))
    return found


def of_code() -> dict[str, str]:
    found = {}
    for path in sorted((PACKAGE / "web").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
                continue
            first = node.args[0] if node.args else None
            if node.func.attr in SAYING and isinstance(first, ast.Constant):
                found[str(first.value)] = str(path.relative_to(PACKAGE))
    return found


def test_every_text_of_the_pages_has_a_german_one() -> None:
    german = texts_in("de")
    used = of_templates() | of_code() | {key.label: "keys" for key in KEYS}
    missing = {text: where for text, where in used.items() if german.text("", text) is None}
    assert missing == {}
