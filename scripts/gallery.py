"""docs/effects.md: every effect of the library, with a moving picture, what it lets one set, and how to play it.

    python scripts/gallery.py

The pictures are the effects' own previews (scripts/preview.py), or those of the README.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from spellwire.graph.document import load_effect
from spellwire.graph.effect import Effect
from spellwire.graph.flat import FlatParam
from spellwire.graph.groups import flatten
from spellwire.graph.registry import registry
from spellwire.runtime.cli.library import library
from spellwire.runtime.cli.pages import span

__all__ = ["gallery", "write_gallery"]

DOCS = Path(__file__).resolve().parent.parent / "docs"
HEAD = """\
# Effects

What comes with Spellwire: each is a folder of `effects_library/`, a graph that can be read, copied and changed.

```sh
spellwire effects                    # this list
spellwire effects NAME               # what --set takes
spellwire play NAME --input clip.mp4 --output out.mp4 --set amount=0.8
spellwire play NAME --camera 0       # in a window
```
"""
FOOT = """\
## One of your own

`spellwire new my_effect` makes a folder with an effect in it; [docs/nodes.md](nodes.md) shows how to write a node for it. A preview
like those above, of at most half a megabyte, is made by `python scripts/preview.py my_effect --output preview.webp` (with
`--split`, the left half without the effect). This page is made by `make pictures`.
"""


def gallery(docs: Path = DOCS) -> str:
    """The page, as Markdown; `docs` is where it will lie."""
    effects = {name: load_effect(folder) for name, folder in library().items()}
    rows = "".join(f"| [{name}](#{anchor(e, name)}) | {first_line(e.doc)} |\n" for name, e in effects.items())
    index = "| effect | what it does |\n| --- | --- |\n" + rows
    return "\n".join([HEAD, index, *(section(name, e, docs) for name, e in effects.items()), FOOT])


def anchor(effect: Effect, name: str) -> str:
    """The link to a heading, as GitHub makes it."""
    kept = (c for c in heading(effect, name).lower() if c.isalnum() or c in " -_")
    return "".join(kept).replace(" ", "-")


def heading(effect: Effect, name: str) -> str:
    return f"{effect.title} ({name})" if effect.title and effect.title.lower() != name else effect.title or name


def section(name: str, effect: Effect, docs: Path) -> str:
    """One effect."""
    parts = [f"## {heading(effect, name)}\n"]
    if picture := picture_of(name, docs):
        parts.append(f"![{effect.title or name}]({picture})\n")
    parts.append(f"{effect.doc}\n" if effect.doc else "")
    public = flatten(effect, registry()).interface
    parts.append(f"    spellwire play {name} --input clip.mp4 --output {name}.mp4{example(public)}\n")
    parts.append("| parameter | default | range | what it does |\n| --- | --- | --- | --- |\n" + "".join(map(row, public)))
    if (docs.parent / "effects_library" / name / "README.md").is_file():
        parts.append(f"[How it works, and what it can't do yet](../effects_library/{name}/README.md)\n")
    return "\n".join(p for p in parts if p)


def picture_of(name: str, docs: Path) -> str:
    """The effect's preview, seen from docs/; a still of the README; nothing."""
    own = docs.parent / "effects_library" / name
    for file in (own / "preview.webp", own / "preview.gif", docs / "pictures" / f"{name}.webp", docs / "pictures" / f"{name}.jpg"):
        if file.is_file():
            return f"../effects_library/{name}/{file.name}" if file.parent == own else f"pictures/{file.name}"
    return ""


def row(public: FlatParam) -> str:
    p = public.parameter
    reach = span(public.low, public.high, public.unit) or ", ".join(map(str, p.choices))
    cells = (f"`{public.name}`", typed(public.default), reach, public.doc)
    return "| " + " | ".join(c.replace("|", "\\|") for c in cells) + " |\n"


def example(public: tuple[FlatParam, ...]) -> str:
    """One --set of a number, half way up: so that a reader sees how."""
    for p in public:
        if isinstance(p.default, float) and p.high is not None:
            value = round((p.default + p.high) / 2, 2)
            return f" --set {p.name}={value:g}"
    return ""


def typed(value: Any) -> str:
    """As --set takes it."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (tuple, list)):
        return ",".join(map(typed, value))
    if hasattr(value, "get"):
        return str(value.get("asset") or value.get("model") or "")
    return "" if value is None else f"{value:g}" if isinstance(value, (int, float)) else str(value)


def first_line(text: str) -> str:
    return text.partition("\n")[0].replace("|", "\\|")


def write_gallery(docs: Path = DOCS) -> Path:
    path = docs / "effects.md"
    path.write_text(gallery(docs), "utf-8")
    return path


if __name__ == "__main__":
    print(write_gallery(), file=sys.stderr)
