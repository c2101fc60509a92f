"""docs/nodes says what the declarations say. Where a test here fails: make pictures."""

from __future__ import annotations

from pathlib import Path

import pytest

import spellwire
from spellwire.graph.registry import registry
from spellwire.runtime.cli.pages import index_page, markdown

FOLDER = Path(spellwire.__file__).parent / "docs" / "nodes"
OURS = [d for d in registry().values() if registry().origins[d.type].distribution == "spellwire"]


@pytest.mark.parametrize("d", OURS, ids=lambda d: d.type)
def test_a_page_says_what_the_declaration_says(d):
    assert (FOLDER / f"{d.type}.md").read_text("utf-8") == markdown(d, FOLDER)
    assert (FOLDER / "pictures" / f"{d.type}.jpg").is_file()


def test_the_index_lists_every_node_and_no_other():
    assert (FOLDER / "README.md").read_text("utf-8") == index_page(OURS)
    pages = {file.stem for file in FOLDER.glob("*.md")} - {"README"}
    assert pages == {d.type for d in OURS}
