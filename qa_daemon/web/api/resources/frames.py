"""Rendered frames of a series: the pictures that the worker has drawn of it."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, Response

from qa_daemon.queue.accounts.permissions import Permission
from qa_daemon.records.preview import Picture, Previews
from qa_daemon.store.audit.entries import note_view
from qa_daemon.store.previews import preview_rows
from qa_daemon.store.previews.folder import PreviewFolder
from qa_daemon.web.api.operations import Answered, Operation, json_answer
from qa_daemon.web.api.parameters import Parameter, choice, number, text
from qa_daemon.web.api.resources.findings import SERIES_KEY
from qa_daemon.web.endpoints import desk, visitor

PICTURE: Final = "image/webp"
#: Positions in a stack; enhanced objects have some 10,000 frames.
POSITION_MAX: Final = 1_000_000
_KEY: Final = Parameter(
    name="series_key",
    schema=SERIES_KEY,
    description="Key of the series.",
    place="path",
    required=True,
)
_POSITION: Final = Parameter(
    name="position",
    schema=number(1, POSITION_MAX),
    description="Place in the stack, one of those that `listFrames` tells.",
    place="path",
    required=True,
)
_PRESET: Final = Parameter(
    name="preset",
    schema=text(length_max=32),
    description="Window: `default`, or another that `listFrames` tells.",
    default="default",
)
_SIZE: Final = Parameter(
    name="size", schema=choice("picture", "thumbnail"), description="512 or 96 pixels.",
    default="picture",
)  # fmt: skip


def _list(request: Request, given: Mapping[str, Any]) -> Response:
    found = _previews(request, given)
    return json_answer(
        {
            "frames": found.frame_count,
            "reason": found.reason,
            "items": [_as_json(picture) for picture in found.pictures],
        }
    )


def _render(request: Request, given: Mapping[str, Any]) -> Response:
    for picture in _previews(request, given).pictures:
        if picture.position == given["position"]:
            return _file(request, picture, given)
    raise HTTPException(404)


def _file(request: Request, picture: Picture, given: Mapping[str, Any]) -> Response:
    folder = PreviewFolder(desk(request).settings.preview_folder)
    for shown in picture.shown:
        if shown.preset == given["preset"]:
            name = shown.picture if given["size"] == "picture" else shown.thumbnail
            path = folder.picture(given["series_key"], name)
            if path is not None and Path(path).is_file():
                # The name is a digest: another window or other pixels are another file.
                _note_view(request, given["series_key"])
                headers = {"Cache-Control": "private, max-age=3600"}
                return FileResponse(path, media_type=PICTURE, headers=headers)
    raise HTTPException(404)


def _note_view(request: Request, series_key: str) -> None:
    """Keep in the audit that somebody was shown pictures of a patient."""
    operator = visitor(request).operator(desk(request).now())
    note_view(desk(request).store, operator, series_key)


def _previews(request: Request, given: Mapping[str, Any]) -> Previews:
    found = preview_rows.previews_of(desk(request).store, given["series_key"])
    if found is None:
        raise HTTPException(404)
    return found


def _as_json(picture: Picture) -> dict[str, Any]:
    return {
        "position": picture.position,
        "sop_instance_uid": picture.sop_instance_uid,
        "frame": picture.frame,
        "width": picture.width,
        "height": picture.height,
        "tells": picture.tells,
        "presets": [shown.preset for shown in picture.shown],
    }


OPERATIONS: Final = (
    Operation(
        id="listFrames",
        path="/series/{series_key}/frames",
        summary="The frames of a series that are drawn, in the order of the stack",
        tag="series",
        permission=Permission.SEE,
        answer=_list,
        answered=(Answered(status=200, description="The frames.", schema="FrameList"),),
        parameters=(_KEY,),
    ),
    Operation(
        id="getRenderedFrame",
        path="/series/{series_key}/frames/{position}/rendered",
        summary="One frame as a picture, as stored: nothing is turned",
        tag="series",
        permission=Permission.SEE,
        answer=_render,
        answered=(Answered(status=200, description="The picture.", media_type=PICTURE),),
        parameters=(_KEY, _POSITION, _PRESET, _SIZE),
    ),
)
