"""The inference process: decoders and models, shut in.

It gets models and objects as bytes on one socket and answers numbers on it. After its start it
opens no file (`RLIMIT_NOFILE` 0), no network and no database; memory beyond what it needed at its
start is bounded by `RLIMIT_AS`. It dies with its parent. What a library does to it (abort, hang,
memory) costs one object: the parent kills it and starts another (`predict.client`).

`predict.process` starts it, the socket as its standard input.
"""

import ctypes
import os
import pickle
import resource
import signal
import warnings
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from socket import socket
from typing import Any, Final

import imagecodecs
import numpy as np
from attrs import astuple

from qa_daemon.errors import ConfigurationError
from qa_daemon.limits import Limits
from qa_daemon.pixels.codestream import UNDECODABLE, Undecodable
from qa_daemon.pixels.decode import Frame, decode_frame
from qa_daemon.pixels.grayscale import exposed_values, grey_values, pixel_spacing
from qa_daemon.pixels.image import Image, read_image
from qa_daemon.pixels.previews.shades import reduced
from qa_daemon.pixels.table import table_side
from qa_daemon.predict.catalog import ModelCard
from qa_daemon.predict.drawing.drawn import draw
from qa_daemon.predict.drawing.small import shrink
from qa_daemon.predict.interpreter import Interpreter, check_golden
from qa_daemon.predict.prepare import PREPARATIONS, Prepared, View
from qa_daemon.predict.wire import STATUS_MEMORY, Broken, Message, receive, send
from qa_daemon.records.instance import Irregularity

_PR_SET_PDEATHSIG: Final = 1
_START_BYTES_MAX: Final = 1 << 30
#: Golden inputs asked at the start, which has to be quick; `models list` asks all.
GOLDEN_MAX: Final = 1


def main() -> None:
    """Serve one parent until it closes the socket."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # systemd tells the whole group to end; the parent still wants the answer that is under way.
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    warnings.simplefilter("ignore")
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    connection = socket(fileno=os.dup(0))
    try:
        start = pickle.loads(receive(connection, _START_BYTES_MAX).body)  # noqa: S301  our parent wrote it
        limits: Limits = start["limits"]
        if os.getppid() != start["parent"]:
            return  # it died before prctl
        models, refused = loaded(start["cards"])
        _shut_in(start["memory_bytes"])
        send(connection, Message({"ready": sorted(models), "refused": refused}))
        while True:
            message = receive(connection, limits.inference_object_bytes_max)
            send(connection, _answered(message, models, limits))
    except Broken:
        return
    except MemoryError:
        os._exit(STATUS_MEMORY)  # nothing else is certain to work now


def loaded(cards: tuple[ModelCard, ...]) -> tuple[dict[str, Interpreter], dict[str, str]]:
    """Return the models by name, and why others are refused.

    Each has answered golden inputs as when it was made, one alone as in service, so that all memory
    and code is in place.
    """
    models, refused = {}, {}
    for card in cards:
        try:
            model = Interpreter(card)
            check_golden(card, GOLDEN_MAX, model)
        except (ConfigurationError, ValueError, RuntimeError) as error:
            refused[card.name] = str(error)
        else:
            models[card.name] = model
    return models, refused


def _shut_in(memory_bytes: int) -> None:
    _rehearse()
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
    address_space = pages * resource.getpagesize() + memory_bytes
    resource.setrlimit(resource.RLIMIT_AS, (address_space, address_space))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_NOFILE, (0, 0))


def _rehearse() -> None:
    """Walk each path once: imagecodecs and numpy load parts of themselves at their first use."""
    picture = np.zeros((8, 8), np.uint8)
    imagecodecs.jpeg8_decode(imagecodecs.jpeg8_encode(picture))
    imagecodecs.jpegls_decode(imagecodecs.jpegls_encode(picture))
    drawn = np.full((64, 64), -1000.0, np.float32)
    drawn[16:40, 16:48] = 40.0
    drawn[44, 8:56] = 100.0
    assert table_side(drawn) == "bottom"
    for prepare in PREPARATIONS.values():
        for modality in ("CT", "MR", "DX"):
            prepare(View(drawn, modality), 64)
    reduced(drawn, (1.0, 1.0), 32)


def _answered(message: Message, models: Mapping[str, Interpreter], limits: Limits) -> Message:
    if message.head.get("draws"):
        return _pictures(message, limits, draw)
    if message.head.get("shrinks"):
        return _pictures(message, limits, shrink)
    return Message(_answer(message, models, limits))


def _pictures(
    message: Message, limits: Limits, make: Callable[[Image, Mapping[str, Any]], tuple[Any, bytes]]
) -> Message:
    """Return what frames of one object look like, or why they cannot be drawn."""
    try:
        told, body = make(read_image(message.body, limits), message.head)
    except Undecodable as error:
        return Message({"reason": error.irregularity.message, "drawn": []})
    except MemoryError:
        raise
    except Exception as error:  # noqa: BLE001  the edge of the room: a fault costs this object only
        return Message({"reason": f"the decoder failed ({type(error).__name__})", "drawn": []})
    return Message({"reason": "", "drawn": told}, body)


def _answer(message: Message, models: Mapping[str, Interpreter], limits: Limits) -> dict[str, Any]:
    """Return what the frames of one object show, and what is wrong with its pixels."""
    answer: dict[str, Any] = {"irregularities": [], "frames": []}
    try:
        image = read_image(message.body, limits)
        answer["irregularities"] += [_told(found) for found in image.irregularities]
        for number in message.head["frames"]:
            if number <= image.number_of_frames or not image.irregularities:
                frame = decode_frame(image, number)
                answer["irregularities"] += [_told(found) for found in frame.irregularities]
                answer["frames"].append(_seen(image, frame, message.head, models))
    except Undecodable as error:
        answer["irregularities"].append(_told(error.irregularity))
    except MemoryError:
        raise
    except Exception as error:  # noqa: BLE001  the edge of the room: a fault costs this object only
        text = f"the decoder failed ({type(error).__name__})"
        answer["irregularities"].append([UNDECODABLE, text, "PixelData"])
    return answer


def _told(irregularity: Irregularity) -> list[str | None]:
    return [irregularity.kind, irregularity.message, irregularity.path]


def _seen(
    image: Image, frame: Frame, head: Mapping[str, Any], models: Mapping[str, Interpreter]
) -> dict[str, Any]:
    """Return logits by model, and the side of the table, of one frame."""
    asked = [name for name in head["models"] if name in models]
    seen: dict[str, Any] = {"frame": frame.number, "scores": {}, "boxes": {}, "table": None}
    if not asked:
        return seen
    grey, modality = grey_values(image, frame), str(head["modality"])
    spacing = pixel_spacing(image, frame.number)
    prepared = Prepared(View(grey, modality, spacing, partial(exposed_values, image, frame)))
    for name in asked:
        card = models[name].card
        squares = prepared.of(card.preparation, card.size)
        seen["scores"][name] = models[name].scores(squares.pictures).tolist()
        if squares.boxes:
            seen["boxes"][name] = [astuple(box) for box in squares.boxes]
    if head["table"] and modality == "CT":
        seen["table"] = table_side(grey)
    return seen
