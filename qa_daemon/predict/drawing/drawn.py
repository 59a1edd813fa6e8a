"""What the inference child draws: in the child the shades, in the parent their check.

Only numbers and raw shades cross: the parent makes the files, so that a decoder which was taken
over by an object cannot put anything of its own before a browser.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
from attrs import frozen

from qa_daemon.pixels.decode import decode_frame
from qa_daemon.pixels.image import Image
from qa_daemon.pixels.previews.shades import PICTURE_PX, Rendering, renderings
from qa_daemon.records.preview import Window

#: Frames of one object per question; each question has the deadline of an object.
FRAMES_PER_QUESTION: Final = 4
#: A frame has at most two windows.
BODY_BYTES_MAX: Final = FRAMES_PER_QUESTION * 2 * PICTURE_PX**2
#: Characters of a reason that are shown.
REASON_MAX: Final = 200


@frozen(eq=False)
class Drawn:
    """One frame and its renderings."""

    frame: int
    renderings: tuple[Rendering, ...]


def draw(image: Image, head: Mapping[str, Any]) -> tuple[list[dict[str, Any]], bytes]:
    """Return what the frames asked for look like: their measures, and all shades in one body.

    Raises
    ------
    Undecodable
        At the first frame that cannot be had.
    """
    told: list[dict[str, Any]] = []
    body = bytearray()
    for number in head["frames"]:
        shown = renderings(image, decode_frame(image, number), head["modality"], PICTURE_PX)
        for each in shown:
            body += each.shades.tobytes()
        told.append({"frame": number, "shown": [_measures(each) for each in shown]})
    return told, bytes(body)


def _measures(each: Rendering) -> dict[str, Any]:
    window = None if each.window is None else [each.window.centre, each.window.width]
    return {"preset": each.preset, "window": window, "shape": list(each.shades.shape)}


def read(told: Sequence[Mapping[str, Any]], body: bytes | bytearray) -> tuple[Drawn, ...]:
    """Return the frames of an answer.

    Raises
    ------
    ValueError
        If the measures and the body do not fit each other: the child is not to be believed.
    """
    drawn, at = [], 0
    for frame in told:
        found = []
        for each in frame["shown"]:
            rows, columns = (int(side) for side in each["shape"])
            if not (0 < rows <= PICTURE_PX and 0 < columns <= PICTURE_PX):
                raise ValueError("a picture has no possible size")
            shades = np.frombuffer(bytes(body[at : at + rows * columns]), np.uint8)
            at += rows * columns
            window = None if each["window"] is None else Window(*map(float, each["window"]))
            preset = str(each["preset"])
            found.append(Rendering(preset, window, shades.reshape(rows, columns)))
        drawn.append(Drawn(int(frame["frame"]), tuple(found)))
    if at != len(body):
        raise ValueError("a body is longer than its pictures")
    return tuple(drawn)
