"""Spellwire: a node editor and a real-time runtime for visual effects.

The folders of the repository's root are the packages `spellwire.graph`, `spellwire.runtime`,
`spellwire.nodes` and `spellwire.editor`; a lower floor never imports a higher one.
"""

__all__ = ["__version__"]

__version__ = "0.1.0"
