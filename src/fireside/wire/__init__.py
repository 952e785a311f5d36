"""What travels: the bodies and messages of each dialect as typed structs, one module per dialect.

Only here do the old ComfyUI words (prompt, prompt_id, in_progress, cancelled) live.
"""
