"""`GET /view`: the caller's files as ComfyUI gives them, bytes at once, whatever the caller has shown."""

from dataclasses import replace

from fireside.server.routes import Answer, Route
from fireside.server.v1 import views

(_BELOW_API,) = views.ROUTES

ROUTES: tuple[Route, ...] = (
    replace(
        _BELOW_API,
        path="/view",
        handler=views.view_bytes,
        name="viewFileBytes",
        text="View a file, or a picture made of it, without a redirect",
        answers={
            **{status: answer for status, answer in _BELOW_API.answers.items() if status != 302},
            200: Answer(
                text="The file, or what `channel`, `res` or `preview` make of it", media_types=views.MEDIA_TYPES
            ),
            206: Answer(text="The range that was asked for", media_types=views.MEDIA_TYPES),
            416: Answer(text="The range lies outside of the file"),
        },
    ),
)
