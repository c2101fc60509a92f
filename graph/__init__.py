"""The graph: port types, node declarations, registry, document, validation, edits, migrations."""
