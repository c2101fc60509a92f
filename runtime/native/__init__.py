"""Irregular loops (triangles, solvers): plain Python made into machine code and linked into a plan's library.

`loops` is the player's part and imports no compiler; `emit` is the author's.
"""
