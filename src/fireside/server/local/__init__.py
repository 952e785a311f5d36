"""ComfyUI's own dialect: the bare paths that small clients and custom scripts know."""
