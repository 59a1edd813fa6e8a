"""Values as JSON text and back. ASCII only, so that both engines hold any character received."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final, TypeVar

from cattrs import Converter
from cattrs.gen import make_dict_structure_fn, override

from qa_daemon.records.element import Element
from qa_daemon.records.finding import Change
from qa_daemon.records.prediction import Part

T = TypeVar("T")


def _element_written(element: Element) -> list[Any]:
    return [
        element.vr,
        [
            {keyword: _element_written(inner) for keyword, inner in value.items()}
            if isinstance(value, Mapping)
            else value
            for value in element.values
        ],
    ]


def _element_read(written: Any, _kind: object) -> Element:
    vr, values = written
    return Element(
        vr,
        tuple(
            {keyword: _element_read(inner, None) for keyword, inner in value.items()}
            if isinstance(value, dict)
            else value
            for value in values
        ),
    )


def _json_values(written: Any, _kind: object) -> Any:
    """Values of the DICOM JSON model are what JSON reads; only the array becomes a tuple."""
    return None if written is None else tuple(written)


def _converter() -> Converter:
    converter = Converter(omit_if_default=True)
    converter.register_unstructure_hook(Element, _element_written)
    converter.register_structure_hook(Element, _element_read)
    converter.register_unstructure_hook(datetime, lambda time: time.isoformat())
    converter.register_structure_hook(datetime, lambda text, _: datetime.fromisoformat(text))
    converter.register_structure_hook(Part, lambda written, _: Part(**written))
    values = override(struct_hook=_json_values)
    converter.register_structure_hook(
        Change, make_dict_structure_fn(Change, converter, current=values, proposed=values)
    )
    return converter


_CONVERTER: Final = _converter()


def written(value: object) -> str:
    """Return `value`, of one of the records' classes or a mapping of texts, as JSON text."""
    return json.dumps(_CONVERTER.unstructure(value), separators=(",", ":"))


def read(text: str, kind: type[T]) -> T:
    """Return the value of class `kind` that `written` has turned to text."""
    return _CONVERTER.structure(json.loads(text), kind)
