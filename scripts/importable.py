"""Do the native libraries that were just installed start on this system? One line for each that doesn't."""

import importlib
import os
import sys

NATIVE = ("numpy", "cv2", "av", "pygame", "ai_edge_litert.interpreter", "onnxruntime", "halide", "llvmlite.binding")


def main() -> int:
    os.environ["PYGAME_HIDE_SUPPORT_PROMPT"] = "1"
    broken = 0
    for name in NATIVE:
        try:
            importlib.import_module(name)
        except ImportError as error:
            broken += 1
            print(f"  {name}: {error}", file=sys.stderr)
    return min(broken, 1)


if __name__ == "__main__":
    sys.exit(main())
