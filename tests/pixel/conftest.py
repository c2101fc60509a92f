"""One compiler for all kernel tests, with a cache of this run."""

from __future__ import annotations

import pytest

from spellwire.runtime.kernels.cache import Cache
from spellwire.runtime.kernels.compiler import Compiler


@pytest.fixture(scope="session")
def compiler(tmp_path_factory: pytest.TempPathFactory) -> Compiler:
    return Compiler(Cache(tmp_path_factory.mktemp("kernels")))
