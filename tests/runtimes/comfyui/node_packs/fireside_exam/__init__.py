"""Nodes for examining a runtime on a real ComfyUI; loaded by ComfyUI's own Python.

`FiresideSleep`, `Fail`, `Switch`, `SplitLines` and `JoinLines` are those of the builtin runtime. The others get a
ComfyUI into trouble, or show and read whatever a test wants.
"""

import gc
import json
import os
import time

import comfy.model_management
import comfy.utils
import folder_paths
import torch
from comfy.comfy_types import IO
from comfy_execution.graph_utils import ExecutionBlocker, GraphBuilder
from PIL import Image

_STEP_SECONDS = 0.02


class Sleep:
    RETURN_TYPES = ("IMAGE",)
    FUNCTION = "run"
    CATEGORY = "fireside"

    @classmethod
    def INPUT_TYPES(cls):
        seconds = ("FLOAT", {"default": 1.0, "min": 0.0, "max": 3600.0})
        steps = ("INT", {"default": 10, "min": 1, "max": 10_000})
        return {"required": {"image": ("IMAGE",), "seconds": seconds, "steps": steps}}

    def run(self, image, seconds, steps):
        bar = comfy.utils.ProgressBar(steps)
        picture = Image.fromarray((image[0].cpu().numpy() * 255).astype("uint8"))
        for step in range(1, steps + 1):
            end = time.monotonic() + seconds / steps
            while (left := end - time.monotonic()) > 0:
                time.sleep(min(left, _STEP_SECONDS))
                comfy.model_management.throw_exception_if_processing_interrupted()
            bar.update_absolute(step, steps, ("JPEG", picture, 512))
        return (image,)


class Fail:
    RETURN_TYPES = ("IMAGE",)
    FUNCTION = "run"
    CATEGORY = "fireside"

    @classmethod
    def INPUT_TYPES(cls):
        return {"required": {"image": ("IMAGE",), "message": ("STRING", {}), "how": (["raise", "crash"],)}}

    def run(self, image, message, how):
        if how == "crash":
            # ComfyUI tells what it runs from another thread; one that dies at once has told nothing.
            time.sleep(0.2)
            os._exit(1)
        raise ValueError(message)


class Switch:
    RETURN_TYPES = (IO.ANY,)
    FUNCTION = "run"
    CATEGORY = "fireside"

    @classmethod
    def INPUT_TYPES(cls):
        branches = {"on_false": (IO.ANY, {"lazy": True}), "on_true": (IO.ANY, {"lazy": True})}
        return {"required": {"switch": ("BOOLEAN", {"default": True})}, "optional": branches}

    def check_lazy_status(self, switch, on_false=None, on_true=None):
        name, value = ("on_true", on_true) if switch else ("on_false", on_false)
        return [name] if value is None else []

    def run(self, switch, on_false=None, on_true=None):
        return (on_true if switch else on_false,)


class SplitLines:
    RETURN_TYPES = ("STRING",)
    OUTPUT_IS_LIST = (True,)
    FUNCTION = "run"
    CATEGORY = "fireside"

    @classmethod
    def INPUT_TYPES(cls):
        return {"required": {"text": ("STRING", {"multiline": True})}}

    def run(self, text):
        return (text.splitlines(),)


class JoinLines:
    RETURN_TYPES = ("STRING",)
    INPUT_IS_LIST = True
    FUNCTION = "run"
    CATEGORY = "fireside"

    @classmethod
    def INPUT_TYPES(cls):
        return {"required": {"texts": ("STRING", {"forceInput": True})}}

    def run(self, texts):
        return ("\n".join(texts),)


class Trouble:
    """Breaks in a way of its own; `out_of_memory_once` only the first time under a `name`.

    The kinds that wait do so until there is a file of that name.
    """

    RETURN_TYPES = ("IMAGE",)
    FUNCTION = "run"
    CATEGORY = "fireside"
    KINDS = (
        *("hang", "end_thread", "out_of_memory", "out_of_memory_once", "full_disk", "tell_secret", "block"),
        *("wait", "wait_and_fail", "wait_and_run_out_of_memory"),
    )
    met = set()

    @classmethod
    def INPUT_TYPES(cls):
        return {
            "required": {"image": ("IMAGE",), "kind": (list(cls.KINDS),), "name": ("STRING", {"default": ""})},
            "hidden": {"key": "API_KEY_COMFY_ORG"},
        }

    def run(self, image, kind, name, key=None):
        while kind.startswith("wait") and not os.path.exists(name):
            comfy.model_management.throw_exception_if_processing_interrupted()
            time.sleep(0.01)
        if kind == "wait_and_fail":
            raise RuntimeError("as it was told")
        if kind == "hang":
            time.sleep(3600)
        if kind == "end_thread":
            raise SystemExit
        if kind == "out_of_memory" or (
            kind in ("out_of_memory_once", "wait_and_run_out_of_memory") and name not in self.met
        ):
            self.met.add(name)
            torch.empty(1 << 48)
        if kind == "full_disk":
            with open("/dev/full", "w") as full:
                full.write("x")
        if kind == "tell_secret":
            raise RuntimeError(f"refused with {key}")
        if kind == "block":
            return (ExecutionBlocker("not today"),)
        return (image,)


class Show:
    """Writes files, `[folder, path, text]` each, and shows what it is told to."""

    RETURN_TYPES = ()
    OUTPUT_NODE = True
    FUNCTION = "run"
    CATEGORY = "fireside"

    @classmethod
    def INPUT_TYPES(cls):
        return {"required": {"files": ("STRING", {"default": "[]"}), "shown": ("STRING", {"default": "{}"})}}

    def run(self, files, shown):
        for folder, path, text in json.loads(files):
            target = os.path.join(folder_paths.get_directory_by_type(folder), path)
            os.makedirs(os.path.dirname(target), exist_ok=True)
            with open(target, "w") as file:
                file.write(text)
        return {"ui": json.loads(shown)}


class Expand:
    """Becomes a picture and a node that saves it."""

    RETURN_TYPES = ("IMAGE",)
    OUTPUT_NODE = True
    FUNCTION = "run"
    CATEGORY = "fireside"

    @classmethod
    def INPUT_TYPES(cls):
        return {"required": {"color": ("INT", {"default": 0, "min": 0, "max": 0xFFFFFF})}}

    def run(self, color):
        graph = GraphBuilder()
        picture = graph.node("EmptyImage", width=4, height=4, batch_size=1, color=color)
        graph.node("SaveImage", images=picture.out(0), filename_prefix="expanded")
        return {"result": (picture.out(0),), "expand": graph.finalize()}


class ReadText:
    """Reads a file and, like many loaders, takes a file of the same name for the same file."""

    RETURN_TYPES = ("STRING",)
    FUNCTION = "run"
    CATEGORY = "fireside"

    @classmethod
    def INPUT_TYPES(cls):
        return {"required": {"file": (sorted(os.listdir(folder_paths.get_input_directory())), {"file_upload": True})}}

    def run(self, file):
        with open(folder_paths.get_annotated_filepath(file)) as opened:
            return (opened.read(),)


class Picky:
    """Is against an odd number, which only it knows."""

    RETURN_TYPES = ()
    OUTPUT_NODE = True
    FUNCTION = "run"
    CATEGORY = "fireside"

    @classmethod
    def INPUT_TYPES(cls):
        return {"required": {"number": ("INT", {"default": 0})}}

    @classmethod
    def VALIDATE_INPUTS(cls, number):
        return True if number % 2 == 0 else f"{number} is odd"

    def run(self, number):
        return {"ui": {"text": [str(number)]}}


class Frozen:
    """Shows how many objects are left out of searches for garbage, and how many are searched."""

    RETURN_TYPES = ()
    OUTPUT_NODE = True
    FUNCTION = "run"
    CATEGORY = "fireside"

    @classmethod
    def INPUT_TYPES(cls):
        return {"required": {}}

    def run(self):
        return {"ui": {"text": [str(gc.get_freeze_count()), str(len(gc.get_objects()))]}}


NODE_CLASS_MAPPINGS = {
    f"Fireside{node.__name__}": node
    for node in (Sleep, Fail, Switch, SplitLines, JoinLines, Trouble, Show, Expand, ReadText, Picky, Frozen)
}
