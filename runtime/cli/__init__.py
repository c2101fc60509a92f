"""The command line: `spellwire play`, `check`, `plan`, `new`, `nodes`, `models`, `effects`, `bench`.

One module a command, imported when that command is called: `spellwire --help` loads none of them.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from time import perf_counter

__all__ = ["STARTED", "main"]

STARTED = perf_counter()

# command, and the module of that name beside this one → what it does
COMMANDS = {
    "play": "play an effect over a clip, a picture, a camera; write a file, show a window",
    "effects": "list the effects of the library",
    "new": "start an effect, or a package of nodes of your own",
    "check": "find everything that is wrong with an effect",
    "plan": "show what an effect is compiled to: stages, kernels, buffers, bytes a frame",
    "nodes": "list the nodes, or show the page of one",
    "models": "list, fetch and verify the models",
    "bench": "run a benchmark of this checkout against its peers",
}

EXAMPLES = """\
examples:
  spellwire play relight --input demo --output out/relight.mp4
  spellwire play grade --camera 0 --output window
  spellwire nodes surface.shade
  spellwire new my_effect && spellwire check my_effect
"""


def usage() -> str:
    """The text of `spellwire --help`."""
    width = max(map(len, COMMANDS))
    rows = "\n".join(f"  {name:<{width}}  {doc}" for name, doc in COMMANDS.items())
    return (
        "usage: spellwire COMMAND …\n\nA node editor and a real-time runtime for visual effects.\n\n"
        f"commands (each has --help):\n{rows}\n\n{EXAMPLES}"
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; the exit status: 0 done, 1 it failed, 2 wrong usage, 130 interrupted."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    if not words or words[0] in ("-h", "--help", "help"):
        print(usage(), end="")
        return 0 if words else 2
    if words[0] in ("-V", "--version"):
        from ... import __version__

        print(f"spellwire {__version__}")
        return 0
    from .guard import guarded

    return guarded(words[0], words[1:], tuple(COMMANDS))
