"""In the place of torchaudio.transforms."""


class MelSpectrogram:
    """Refuses to be made."""

    def __init__(self, *args: object, **more: object) -> None:
        raise NotImplementedError("this ComfyUI was made for tests and has no torchaudio")


MelScale = MelSpectrogram
