"""The engine: a plan bound to arrays and called, frame after frame."""
