"""What goes into which container: one row an extension."""

from __future__ import annotations

from dataclasses import dataclass, field

__all__ = ["FORMATS", "Coding", "Format"]

Options = dict[str, str]


@dataclass(frozen=True)
class Coding:
    """An encoder, its pixel format and options. `even`: width and height must be even.

    quality: the encoder's own option for constant quality.
    """

    codec: str
    pixels: str
    options: Options = field(default_factory=dict)
    even: bool = False
    quality: str | None = None

    @property
    def alpha(self) -> bool:
        return self.pixels.startswith(("yuva", "rgba", "argb", "bgra")) or self.codec == "gif"


@dataclass(frozen=True)
class Format:
    """A container.

    Attributes:
        muxer: FFmpeg's name.
        opaque, alpha: codings; alpha None: the format has none that plays anywhere.
        writing: muxer options while writing; the file must stay readable if the writer is killed.
        remux: muxer options for the finished file where it is written over again, else None.
        sound: codecs copied as they are; None: whatever the muxer takes.
        sound_codec: what other sound is encoded as; None: no sound in this format.
    """

    muxer: str
    opaque: Coding
    alpha: Coding | None
    writing: Options = field(default_factory=dict)
    remux: Options | None = None
    sound: tuple[str, ...] | None = ()
    sound_codec: str | None = None


# No B-frames: decoding order is showing order, so times are exact and nothing waits in the encoder.
_H264 = Coding("libx264", "yuv420p", {"preset": "veryfast", "crf": "18", "bf": "0"}, even=True, quality="crf")
_VP9 = {"crf": "24", "b": "0", "deadline": "good", "cpu-used": "5", "row-mt": "1", "lag-in-frames": "0"}
_VP9_OPAQUE = Coding("libvpx-vp9", "yuv420p", _VP9, quality="crf")
_VP9_ALPHA = Coding("libvpx-vp9", "yuva420p", _VP9 | {"auto-alt-ref": "0"}, quality="crf")
_PRORES = Coding("prores_ks", "yuva444p10le", {"profile": "4444", "vendor": "apl0", "alpha_bits": "16"})
_FRAGMENTS = {
    "movflags": "frag_keyframe+delay_moov+default_base_moof",
    "frag_duration": "500000",
    "flush_packets": "1",
}
_CLUSTERS = {"cluster_time_limit": "500", "flush_packets": "1"}
_FASTSTART = {"movflags": "faststart"}
_MP4_SOUND = ("aac", "mp3", "ac3", "eac3", "alac", "opus", "flac")
_MOV_SOUND = ("aac", "mp3", "ac3", "eac3", "alac", "pcm_s16le", "pcm_s16be", "pcm_s24le", "pcm_f32le")

FORMATS: dict[str, Format] = {
    ".mp4": Format("mp4", _H264, None, _FRAGMENTS, _FASTSTART, _MP4_SOUND, "aac"),
    ".m4v": Format("mp4", _H264, None, _FRAGMENTS, _FASTSTART, _MP4_SOUND, "aac"),
    ".mov": Format("mov", _H264, _PRORES, _FRAGMENTS, _FASTSTART, _MOV_SOUND, "aac"),
    ".mkv": Format("matroska", _H264, _VP9_ALPHA, _CLUSTERS, None, None, "libopus"),
    ".webm": Format("webm", _VP9_OPAQUE, _VP9_ALPHA, _CLUSTERS, None, ("opus", "vorbis"), "libopus"),
    ".gif": Format("gif", Coding("gif", "pal8"), Coding("gif", "pal8"), {"flush_packets": "1"}),
    ".apng": Format(
        "apng", Coding("apng", "rgb24"), Coding("apng", "rgba"), {"plays": "0", "flush_packets": "1"}
    ),
}
