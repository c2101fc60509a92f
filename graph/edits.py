"""Edits as commands: each says what to do, does it to an immutable effect, or refuses with the reason.

    history = History(effect, registry())
    history.apply(AddNode("colour.exposure", at=(240, 0)))
    history.apply(Connect("n1", "image", "n2", "image"))
    history.undo()

Every edit takes `scope`: "" for the effect itself, or the name of the group whose definition is edited. This module
is the door to all of them.
"""

from __future__ import annotations

from .clipboard import Paste, copy_nodes
from .edit import Batch, Edit
from .edits_groups import MakeGroup, RemoveGroup, RenameGroup, SetGroupPorts, Ungroup
from .edits_nodes import AddNode, Move, Mute, RemoveNodes, Rename, SetEffect, SetInterface, SetParam
from .edits_wires import Connect, Disconnect, ReplaceType, SetPolicy
from .history import History, Step

__all__ = [
    "AddNode",
    "Batch",
    "Connect",
    "Disconnect",
    "Edit",
    "History",
    "MakeGroup",
    "Move",
    "Mute",
    "Paste",
    "RemoveGroup",
    "RemoveNodes",
    "Rename",
    "RenameGroup",
    "ReplaceType",
    "SetEffect",
    "SetGroupPorts",
    "SetInterface",
    "SetParam",
    "SetPolicy",
    "Step",
    "Ungroup",
    "copy_nodes",
]
