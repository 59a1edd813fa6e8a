"""Values along a path of elements: items of sequences, functional groups, at any depth."""

from collections.abc import Iterator, Mapping, Sequence

from qa_daemon.dicom.elements import PER_FRAME, SHARED
from qa_daemon.records.element import Element, Elements, Value
from qa_daemon.rules.looks.names import Step

Values = tuple[str, ...]


def text_of(value: Value) -> str:
    """Return a value as stripped text; an item of a sequence as `(item)`."""
    return "(item)" if isinstance(value, Mapping) else str(value).strip()


def values_along(elements: Elements, steps: Sequence[Step]) -> Values | None:
    """Return the values at the end of a path, those of all items one behind the other.

    None where no item has the element at all; `()` where it is there and empty everywhere.
    """
    found = list(elements_along(elements, steps))
    if not found:
        return None
    last = steps[-1]
    texts = tuple(text_of(value) for element in found for value in element.values)
    return texts[last.number - 1 : last.number] if last.number else texts


def elements_along(elements: Elements, steps: Sequence[Step]) -> Iterator[Element]:
    """Yield the elements at the end of a path, one for each item that has it."""
    element = elements.get(steps[0].keyword)
    if element is None:
        return
    if len(steps) == 1:
        yield element
        return
    for item in items_of(element, steps[0].number):
        yield from elements_along(item, steps[1:])


def items_of(element: Element, number: int = 0) -> Iterator[Elements]:
    """Yield the items of a sequence: all of them, or the one of this number, from 1."""
    chosen = element.values[number - 1 : number] if number else element.values
    for item in chosen:
        if isinstance(item, Mapping):
            yield item


def items_along(elements: Elements, steps: Sequence[Step]) -> Iterator[Elements]:
    """Yield the items of the sequences at the end of a path."""
    for element in elements_along(elements, steps):
        yield from items_of(element, steps[-1].number)


def frame_values(
    elements: Elements, steps: Sequence[Step], frame: int, frames: int
) -> Values | None:
    """Return what one frame says, wherever it stands (PS3.3 C.7.6.16).

    Its own functional groups come before the shared ones, and these before the top level, where
    classic objects have it. A path of one keyword is looked for in every group.

    Parameters
    ----------
    frame, frames
        The frame, counted from 1, and how many there are.
    """
    for groups in (_groups(elements, PER_FRAME, frame, frames), _groups(elements, SHARED, 1, 1)):
        found = _in_groups(groups, steps)
        if found is not None:
            return found
    return values_along(elements, steps) or values_along(elements, steps[-1:])


def _groups(elements: Elements, sequence: str, number: int, count: int) -> Elements:
    element = elements.get(sequence)
    if element is None or number > max(count, 1):
        return {}
    return next(items_of(element, number), {})


def _in_groups(groups: Elements, steps: Sequence[Step]) -> Values | None:
    direct = values_along(groups, steps)
    if direct is not None or len(steps) > 1:
        return direct
    for group in groups.values():
        for item in items_of(group):
            found = values_along(item, steps)
            if found is not None:
                return found
    return None


def all_frames(elements: Elements, steps: Sequence[Step], frames: int) -> Values | None:
    """Return what the frames of an object say, each distinct answer once, in their order."""
    per_frame = elements.get(PER_FRAME)
    count = min(frames, len(per_frame.values)) if per_frame is not None else 0
    answers = dict.fromkeys(
        answer
        for frame in range(1, max(count, 1) + 1)
        if (answer := frame_values(elements, steps, frame, max(count, 1))) is not None
    )
    return tuple(value for answer in answers for value in answer) if answers else None
