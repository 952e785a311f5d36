"""The `comfyui` runtime: a real ComfyUI, started and supervised from a folder, or one that runs already.

`home` is the seam between where a ComfyUI lives (`supervised`, `attached`) and the run of a task in it. `info` reads
what a ComfyUI is, and `bridge` is a small node pack of ours that a supervised one loads.
"""
