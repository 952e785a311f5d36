"""The `builtin` runtime: image nodes in numpy and Pillow that need no model and no GPU.

The graph runs in a child process (`child`), so that the worker stays responsive and survives what a node does.
`runtime` is the worker's side. Nodes carry ComfyUI's class names and inputs; `nodes` holds them by theme.
"""
