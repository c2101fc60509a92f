"""Between a command and the person: every failure becomes one clear message and an exit status, nothing a traceback."""

from __future__ import annotations

import difflib
import errno
import importlib
import os
import sys
import traceback
from collections.abc import Sequence

from ...graph.errors import SpellwireError, UsageError, ValidationError

__all__ = ["closest", "guarded"]

INTERRUPTED = 130  # 128 + SIGINT, as shells say it
BROKEN_PIPE = 141  # 128 + SIGPIPE: `spellwire nodes | head` is no failure worth words
OUT_OF = {errno.ENOSPC: "the disk is full", errno.EDQUOT: "your disk quota is used up", errno.EROFS: "the disk is read-only"}


def guarded(command: str, words: Sequence[str], known: Sequence[str]) -> int:
    """Run the command of that name with its arguments."""
    try:
        if command not in known:
            raise UsageError(f"there is no command {command!r}{closest(command, known)}; see spellwire --help")
        module = importlib.import_module(f".{command}", __package__)
        parser = module.parser()
        status = module.run(parser.parse_args(words)) or 0
        sys.stdout.flush()  # so that a broken pipe shows here, not at exit
        return status
    except KeyboardInterrupt:
        return _say("interrupted", INTERRUPTED)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return BROKEN_PIPE
    except UsageError as error:
        return _say(str(error), 2)
    except ValidationError as error:
        count = len(error.problems)
        return _say(f"{count} problem{'s' * (count != 1)} in this effect:\n{error}", 1)
    except SpellwireError as error:
        return _say(str(error), 1)
    except OSError as error:
        return _say(_system(error), 1)
    except Exception as error:  # a defect of ours: still one message, with the way to the rest
        return _say(
            f"an error inside Spellwire ({type(error).__name__}: {error}). Run it again with SPELLWIRE_DEBUG=1 and "
            "report the traceback",
            1,
        )


def closest(word: str, known: Sequence[str]) -> str:
    """`; did you mean 'play'?` where one of the known words is near, else nothing."""
    near = difflib.get_close_matches(word, known, n=1, cutoff=0.6)
    return f"; did you mean {near[0]!r}?" if near else ""


def _system(error: OSError) -> str:
    why = OUT_OF.get(error.errno or 0) or (error.strerror or str(error)).lower()
    return f"{error.filename}: {why}" if error.filename else why


def _say(message: str, status: int) -> int:
    if os.environ.get("SPELLWIRE_DEBUG"):
        traceback.print_exc()
    colour = sys.stderr.isatty() and not os.environ.get("NO_COLOR")
    head = "\033[1;31mspellwire:\033[0m" if colour else "spellwire:"
    print(f"{head} {message}", file=sys.stderr)
    return status
