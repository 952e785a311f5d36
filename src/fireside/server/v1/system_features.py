"""What this server can do, as clients ask by `GET /api/features` and over the websocket."""

from fireside.config import Config
from fireside.wire.v1_system import FeaturesBody


def features_of(config: Config) -> FeaturesBody:
    """Say what clients may expect; a flag they read and that is false is said, so that none has to guess."""
    return FeaturesBody(
        supports_preview_metadata=True,
        supports_model_type_tags=False,
        max_upload_size=config.max_upload_bytes,
        assets=False,
        node_replacements=False,
    )
