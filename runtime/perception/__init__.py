"""Perception: pictures in, faces and masks out. Pure pipelines around models, with no node classes.

Every pipeline takes opened models, keeps its work buffers, and keeps what must survive a frame in a plain
dictionary of arrays that its caller owns (a node's state slot). Pictures are uint8 RGB (height, width, 3).
Coordinates are pixels of that picture, x right, y down, pixel centres at +0.5.
"""
