"""Archives: zip files whose bytes depend on their files alone, written and read as streams.

No times, no compression (pictures, sound and film are compressed already), and always in the streamed form
of the format, so that a Lambda writing to S3 and a disk make the same bytes.
"""

from collections.abc import Iterable
from hashlib import sha256
from typing import Protocol
from zipfile import ZIP_STORED, ZipFile, ZipInfo

CHUNK = 1024 * 1024
_EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest that a zip can say
_ALL_MAY_READ = 0o644 << 16
_UNIX = 3


class Sink(Protocol):
    """Where bytes go, one after the other."""

    def write(self, data: bytes, /) -> object: ...


class Nowhere:
    """A sink for whoever only wants the hash."""

    def write(self, data: bytes, /) -> object:
        return len(data)


class Archive:
    """A zip being written: complete at the end of its `with` block, given up where that raises.

    `sha256` and `size` are those of what was written so far.
    """

    def __init__(self, sink: Sink) -> None:
        self._sink: Sink = sink
        self._hash, self.size = sha256(), 0
        # Its type asks for a close(), which zipfile never calls on what it was handed.
        self._zip = ZipFile(self, "w", ZIP_STORED, allowZip64=True)  # type: ignore[call-overload]

    def add(self, path: str, size: int, chunks: Iterable[bytes]) -> str:
        """Write a file of `size` bytes; return its SHA-256. Raises ValueError where the size is another."""
        info = ZipInfo(path, _EPOCH)
        info.create_system, info.external_attr, info.file_size = _UNIX, _ALL_MAY_READ, size
        found, written = sha256(), 0
        with self._zip.open(info, "w") as entry:
            for chunk in chunks:
                found.update(chunk)
                written += len(chunk)
                entry.write(chunk)
        if written != size:
            raise ValueError(f"{path} has {written} bytes, not {size}")
        return found.hexdigest()

    def __enter__(self) -> "Archive":
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is not None:
            self._sink = Nowhere()  # zipfile would still write its end, here or when it is collected
        self._zip.close()

    @property
    def sha256(self) -> str:
        return self._hash.hexdigest()

    def write(self, data: bytes) -> int:
        """What zipfile calls."""
        self._hash.update(data)
        self.size += len(data)
        self._sink.write(data)
        return len(data)

    def flush(self) -> None:
        """What zipfile calls."""
