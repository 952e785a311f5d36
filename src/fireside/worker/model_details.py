"""Looking at a model file for the server, which has none: small answers, whatever the file holds."""

import asyncio
import zlib
from io import BytesIO

import structlog
from PIL import Image

from fireside.runtimes.base import Runtime
from fireside.wire.fleet import MOST_MODEL_BYTES, DescribeModel, ModelReply

_LONGEST_EDGE = 512
_MOST_PIXELS = 64 * 1024 * 1024
_QUALITY = 80
_log = structlog.get_logger(__name__)


async def describe_model(runtime: Runtime, request: DescribeModel) -> ModelReply:
    """Ask the runtime; what it does not say, and what the bus would not carry, is nothing."""
    try:
        if request.part == "metadata":
            said = await runtime.model_metadata(request.folder, request.name)
            content = zlib.compress(said) if said is not None else None
        else:
            picture = await runtime.model_preview(request.folder, request.name)
            content = await asyncio.to_thread(_smaller, picture) if picture is not None else None
    except (TimeoutError, OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        _log.info("model not described", folder=request.folder, name=request.name, reason=str(error))
        return ModelReply()
    return ModelReply(content=content if content is not None and len(content) <= MOST_MODEL_BYTES else None)


def _smaller(picture: bytes) -> bytes:
    """Make a WebP of it that fits a list of models."""
    with Image.open(BytesIO(picture)) as opened:
        if opened.width * opened.height > _MOST_PIXELS:
            raise ValueError("the picture beside the model has too many pixels")
        opened.draft("RGB", (_LONGEST_EDGE, _LONGEST_EDGE))
        small = opened.convert("RGBA" if "A" in opened.getbands() or "transparency" in opened.info else "RGB")
    small.thumbnail((_LONGEST_EDGE, _LONGEST_EDGE))
    out = BytesIO()
    small.save(out, "WEBP", quality=_QUALITY)
    return out.getvalue()
