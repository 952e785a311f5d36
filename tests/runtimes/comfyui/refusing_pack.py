"""A node pack whose nodes have validators of their own, written where a real ComfyUI finds it."""

import json
import struct
from pathlib import Path

from PIL import Image

METADATA = {"modelspec.title": "Described", "ss_tag_frequency": "{}"}
PICTURE_COLOR = (200, 100, 50)
SUBGRAPH = '{"nodes": [], "name": "Upscale"}'
COMMIT = "0123456789abcdef0123456789abcdef01234567"
VERSION = "1.2.3"
NODES = '''
import os, time
import folder_paths
from comfy_api.latest import ComfyExtension, io

class Even:
    """Takes even numbers only, and looks whether its file is there."""
    @classmethod
    def INPUT_TYPES(cls):
        names = os.listdir(folder_paths.get_input_directory())
        return {"required": {"number": ("INT", {"default": 0}), "limit": ("INT", {"default": 9, "max": 99})},
                "optional": {"image": (names, {"image_upload": True}), "whole": ("INT",), "picture": ("IMAGE",),
                             "place": ("STRING", {"default": folder_paths.get_output_directory()}),
                             "unmarked": (names,)}}
    RETURN_TYPES = ("INT",)
    FUNCTION = "run"
    CATEGORY = "test"
    @classmethod
    def VALIDATE_INPUTS(cls, number, image=None):
        if image is not None and not folder_paths.exists_annotated_filepath(image):
            return f"Invalid image file: {image}"
        if image is not None and not os.path.exists(folder_paths.get_annotated_filepath(image)) and number == 8:
            return f"{image} is not there"
        if number == 666:
            raise RuntimeError("this number is cursed")
        if number == 6:
            open(folder_paths.get_annotated_filepath(image or "nowhere.png"))
        while number == 600 and os.path.exists(HANG):
            time.sleep(0.02)
        return number % 2 == 0 or f"{number} is odd"
    def run(self, number, **kwargs):
        return (number,)

class FileOnly:
    @classmethod
    def INPUT_TYPES(cls):
        return {"required": {"image": ([], {"image_upload": True})}}
    RETURN_TYPES = ()
    OUTPUT_NODE = True
    FUNCTION = "run"
    CATEGORY = "test"
    @classmethod
    def VALIDATE_INPUTS(cls, image):
        return folder_paths.exists_annotated_filepath(image) or f"Invalid image file: {image}"
    def run(self, image):
        return {}

NODE_CLASS_MAPPINGS = {"Even": Even, "FileOnly": FileOnly}
'''
NEWER_NODES = """
from comfy_api.latest import ComfyExtension, io

class Short(io.ComfyNode):
    @classmethod
    def define_schema(cls):
        inputs, outputs = [io.String.Input("word")], [io.String.Output()]
        return io.Schema(node_id="Short", category="test", inputs=inputs, outputs=outputs)
    @classmethod
    def validate_inputs(cls, word):
        return len(word) < 5 or "too long"
    @classmethod
    def execute(cls, word):
        return io.NodeOutput(word)

class Plain(io.ComfyNode):
    @classmethod
    def define_schema(cls):
        return io.Schema(node_id="Plain", category="test", inputs=[io.String.Input("word")], outputs=[])
    @classmethod
    def execute(cls, word):
        return io.NodeOutput()

class Extension(ComfyExtension):
    async def get_node_list(self):
        return [Short, Plain]

async def comfy_entrypoint():
    return Extension()
"""
GIT_CONFIG = """
[remote "origin"]
\turl = https://me:a-token@example.org/us/refusing.git?key=a-token
\tfetch = +refs/heads/*:refs/remotes/origin/*
"""


EXAMPLE = '{"nodes": [], "links": []}'
TRANSLATED = {"Refusing": {"display_name": "Verweigert"}}


def write_packs(folder: Path) -> Path:
    """Write the packs, and a file with extra model paths that names them and a folder of models."""
    packs, models = folder / "packs", folder / "models"
    (models / "checkpoints" / "sub").mkdir(parents=True)
    (models / "checkpoints" / "sub" / "extra.safetensors").write_bytes(b"x" * 1000)
    header = json.dumps({"__metadata__": METADATA, "weight": {"dtype": "U8", "shape": [1], "data_offsets": [0, 1]}})
    described = struct.pack("<Q", len(header)) + header.encode() + b"\0"
    (models / "checkpoints" / "sub" / "described.safetensors").write_bytes(described)
    Image.new("RGB", (900, 600), PICTURE_COLOR).save(models / "checkpoints" / "sub" / "described.png")
    refusing, newer, broken = packs / "refusing", packs / "newer", packs / "broken"
    (refusing / ".git").mkdir(parents=True)
    (refusing / "__init__.py").write_text(f"HANG = {str(folder / 'hang')!r}\n{NODES}")
    (refusing / "pyproject.toml").write_text(f'[project]\nname = "refusing"\nversion = "{VERSION}"\n')
    (refusing / ".git" / "HEAD").write_text("ref: refs/heads/main\n")
    (refusing / ".git" / "packed-refs").write_text(
        f"# pack-refs with: peeled fully-peeled sorted\n{COMMIT} refs/heads/main\n"
    )
    (refusing / ".git" / "config").write_text(GIT_CONFIG)
    (refusing / "subgraphs").mkdir()
    (refusing / "subgraphs" / "Upscale.json").write_text(SUBGRAPH)
    (refusing / "subgraphs" / "Empty.json").touch()
    (refusing / "example_workflows").mkdir()
    (refusing / "example_workflows" / "First steps.json").write_text(EXAMPLE)
    Image.new("RGB", (8, 8), PICTURE_COLOR).save(refusing / "example_workflows" / "First steps.jpg")
    (refusing / "example_workflows" / "Empty.json").touch()
    (refusing / "locales" / "de").mkdir(parents=True)
    (refusing / "locales" / "de" / "nodeDefs.json").write_text(json.dumps(TRANSLATED))
    newer.mkdir()
    (newer / "__init__.py").write_text(NEWER_NODES)
    broken.mkdir()
    (broken / "__init__.py").write_text("import nothing_of_that_name\n")
    config = folder / "extra.yaml"
    config.write_text(f"test:\n  base_path: {folder}\n  custom_nodes: packs\n  checkpoints: models/checkpoints\n")
    return config
