"""The node library: one file a family, one class a node. Found through the entry-point group `spellwire.nodes`."""
