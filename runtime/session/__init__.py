"""A session: an effect that plays, driven by messages."""

from .session import Report, Session

__all__ = ["Report", "Session"]
