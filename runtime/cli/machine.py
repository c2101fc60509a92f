"""What a measurement was made on: processor, system, versions."""

from __future__ import annotations

import os
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

__all__ = ["describe"]

LIBRARIES = (
    "numpy", "opencv-python-headless", "ai-edge-litert", "onnxruntime", "av", "pygame-ce", "halide", "numba", "ziglang",
    "scikit-image",
)  # fmt: skip

# the x86-64 micro-architecture levels of the psABI, by flags as Linux names them
LEVELS = (
    ("x86-64-v4", {"avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl"}),
    ("x86-64-v3", {"avx2", "bmi1", "bmi2", "f16c", "fma", "movbe"}),
    ("x86-64-v2", {"sse4_2", "ssse3", "popcnt", "cx16"}),
)


def describe() -> dict[str, Any]:
    """The machine, as benchmarks print it."""
    model, flags = _processor()
    return {
        "cpu": model,
        "cores": _cores(),
        "level": next((name for name, needed in LEVELS if needed <= flags), platform.machine()),
        "load": round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None,
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "versions": {name: found for name in ("spellwire", *LIBRARIES) if (found := _version(name))},
    }


def _cores() -> int:
    """Cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _processor() -> tuple[str, set[str]]:
    info = Path("/proc/cpuinfo")
    fields: dict[str, str] = {}
    for line in info.read_text("utf-8", "replace").splitlines() if info.is_file() else ():
        key, _, value = line.partition(":")
        fields.setdefault(key.strip(), value.strip())
    return fields.get("model name") or platform.processor() or platform.machine(), set(fields.get("flags", "").split())


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""
