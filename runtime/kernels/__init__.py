"""Regions to machine code: compile in worker processes, link to one library, call by ctypes.

`library` is the player's part and imports no compiler; `compiler`, `link` and `worker` are the author's.
"""
