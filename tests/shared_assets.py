"""Where the shared test assets are (footage, ground truth, models that nobody of this project made): SPELLWIRE_ASSETS."""

import os
from pathlib import Path

__all__ = ["ASSETS"]

ASSETS = Path(os.environ.get("SPELLWIRE_ASSETS") or Path(__file__).resolve().parents[2] / "shared" / "assets")
