"""
An identity of its own for a data folder that was copied: servers made by initdb differ in their system identifier, and
those that are copies of one another are told by its being the same.

It stands at the beginning of `pg_control`, which ends in a CRC-32C of what is before it, and in the first page of every
segment of the log.
"""

import secrets
from pathlib import Path

CONTROL_SIZE = 512
"""The file is longer, but what counts is within one disk sector, so that it is written whole or not at all."""

IDENTIFIER_IN_SEGMENT = 24
"""Where it is in the long header of a segment's first page."""


def _table() -> list[int]:
    rows = list(range(256))
    for _ in range(8):
        rows = [(row >> 1) ^ (0x82F63B78 if row & 1 else 0) for row in rows]
    return rows


_TABLE = _table()


def make_its_own(folder: Path) -> None:
    """Gives the server of a data folder, which is not running, a new system identifier."""
    identifier = (secrets.randbits(62) | 2**62).to_bytes(8, "little")
    control = folder / "global" / "pg_control"
    data = control.read_bytes()
    end = _checksum_at(data)
    changed = identifier + data[8:end]
    _write(control, 0, changed + _checksum(changed))
    for segment in (folder / "pg_wal").glob("0*"):
        _write(segment, IDENTIFIER_IN_SEGMENT, identifier)


def _checksum_at(data: bytes) -> int:
    """Where the checksum is: that differs from version to version."""
    value = 0xFFFFFFFF
    for place, byte in enumerate(data[:CONTROL_SIZE]):
        if place > 64 and data[place : place + 4] == (value ^ 0xFFFFFFFF).to_bytes(4, "little"):
            return place
        value = _TABLE[(value ^ byte) & 0xFF] ^ (value >> 8)
    raise ValueError("no checksum was found in pg_control")


def _checksum(data: bytes) -> bytes:
    value = 0xFFFFFFFF
    for byte in data:
        value = _TABLE[(value ^ byte) & 0xFF] ^ (value >> 8)
    return (value ^ 0xFFFFFFFF).to_bytes(4, "little")


def _write(path: Path, place: int, data: bytes) -> None:
    """In place: the file stays with the user who runs the server."""
    with path.open("r+b") as file:
        file.seek(place)
        file.write(data)
