"""One kernel in one process: `python -m spellwire.runtime.kernels.worker KIND TARGET OUTPUT`.

A fresh process for each, since Halide's counter of names makes the second kernel of a process differ in its bytes; so
equal regions give equal objects. KIND `region` reads an encoded region on standard input; `runtime` makes Halide's
run-time part for the target instead.
Exit codes: 0 done, 3 refused with the reason on standard error (one line).
"""

# Halide's module has no type stubs.
# pyright: reportAttributeAccessIssue=false
from __future__ import annotations

import os
import sys

__all__ = ["compile_region", "compile_runtime", "main"]

REFUSED = 3


def compile_region(data: bytes, target: str, output: str) -> None:
    """Write the object of an encoded region (`Region.encode`)."""
    import halide as hl

    from ..pixel.lower import lower
    from ..pixel.region import Region
    from .library import kernel_name, shapes
    from .targets import halide_target, split

    region = Region.decode(data)
    spec = hl.Target(f"{halide_target(target)}-no_runtime-no_bounds_query")
    name, modules = kernel_name(region.key), []
    for shape in shapes(region):
        lowered = lower(region, split(target)[1], shape)
        modules.append(lowered.pipeline.compile_to_module(lowered.arguments, f"{name}_{shape}", spec))
    hl.link_modules(name, modules).compile({hl.OutputFileType.object: output})


def compile_runtime(target: str, output: str) -> None:
    """Write the object every library of the target needs once."""
    import halide as hl

    from .targets import halide_target

    hl.compile_standalone_runtime(output, hl.Target(halide_target(target)))


def main(arguments: list[str]) -> int:
    kind, target, output = arguments
    if hasattr(os, "nice"):
        os.nice(5)  # the effect that is playing goes first
    try:
        if kind == "runtime":
            compile_runtime(target, output)
        else:
            compile_region(sys.stdin.buffer.read(), target, output)
    except Exception as error:
        print(" ".join(str(error).split()) or type(error).__name__, file=sys.stderr)
        return REFUSED
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
