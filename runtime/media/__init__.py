"""Pictures in and out: clips, stills, sequences, cameras, windows. Importing this imports neither PyAV nor OpenCV."""

from .base import Picture, Sink, Source, Stamp, StreamInfo
from .interrupt import graceful_exit
from .opening import open_sink, open_source

__all__ = ["Picture", "Sink", "Source", "Stamp", "StreamInfo", "graceful_exit", "open_sink", "open_source"]
