"""How large pictures and videos are and how long they play, read from their headers: one module per family of formats.

Nothing is ever unpacked. Each format is a generator that asks for a few bytes at a time and ends with what it has read;
`reading` gives it those bytes, and only so many of them.
"""
