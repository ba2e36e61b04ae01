"""Tones in files: made, and looked for in what was heard."""

import array
import math
import struct
import wave

RATE = 8000
LEVEL = 8000  # of 32767


def write(path, hertz, seconds):
    """A file that holds a tone, or silence."""
    count = int(seconds * RATE)
    value = lambda place: int(LEVEL * math.sin(2 * math.pi * hertz * place / RATE)) if hertz else 0
    with wave.open(path, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(array.array("h", (value(place) for place in range(count))).tobytes())


def read(path):
    """The samples of a file, also of one whose writer is not done: its lengths are not believed. Channels are mixed."""
    with open(path, "rb") as file:
        octets = file.read()
    if octets[:4] != b"RIFF":
        return []
    place, channels = 12, 1
    while place + 8 <= len(octets):
        name, length = octets[place : place + 4], struct.unpack("<I", octets[place + 4 : place + 8])[0]
        if name == b"fmt ":
            channels = struct.unpack("<H", octets[place + 10 : place + 12])[0]
        if name == b"data":
            body = octets[place + 8 :]
            samples = array.array("h", body[: len(body) // 2 * 2])
            return [sum(samples[at : at + channels]) // channels for at in range(0, len(samples), channels)]
        place += 8 + length
    return []


def power(samples, hertz):
    """The part of the power that is at a frequency: 1 for a pure tone (Goertzel)."""
    if not samples:
        return 0.0
    factor = 2 * math.cos(2 * math.pi * hertz / RATE)
    one = two = 0.0
    for sample in samples:
        one, two = sample + factor * one - two, one
    total = sum(sample * sample for sample in samples)
    return 2 * (one * one + two * two - factor * one * two) / (len(samples) * total) if total else 0.0


def level(samples):
    """The amplitude of a tone with this power."""
    return math.sqrt(2 * sum(sample * sample for sample in samples) / len(samples)) if samples else 0.0


def stretches(samples, hertz, window=400, least=0.8):
    """Seconds during which a tone is there, loud enough to be one."""
    windows = (samples[at : at + window] for at in range(0, len(samples) - window + 1, window))
    fits = sum(1 for part in windows if level(part) > 500 and power(part, hertz) > least)
    return fits * window / RATE
