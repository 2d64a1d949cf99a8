"""What a learner handed in, as bytes: read once, hashed, and sent to whoever grades it."""

from __future__ import annotations

import hashlib
import os
import stat
from dataclasses import dataclass, field
from pathlib import Path

MAX_BYTES = 256 << 20
MAX_FILES = 1000


@dataclass(frozen=True)
class Handed:
    """The files of one folder.

    Attributes:
        files: name → content.
        refused: name → why it was not read: a link could point at anything, with the instructor's rights.
    """

    files: dict[str, bytes] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)

    @classmethod
    def in_folder(cls, folder: Path) -> Handed:
        """Read the plain files of `folder`, notebooks first, and say of everything else why not."""
        files, refused, room = {}, {}, MAX_BYTES
        paths = sorted(folder.iterdir(), key=lambda path: (path.suffix != ".ipynb", path.name))
        for number, path in enumerate(paths):
            try:
                content = _content(path, room) if number < MAX_FILES else None
            except OSError as error:
                refused[path.name] = f"{error.strerror}."
                continue
            if content is None:
                refused[path.name] = f"more than {MAX_FILES} files, or {MAX_BYTES >> 20} MB, were handed in."
            else:
                files[path.name], room = content, room - len(content)
        return cls(files, refused)

    @property
    def version(self) -> str:
        """A hash that changes whenever anything in it does."""
        digest = hashlib.sha256()
        for name, content in sorted(
            [*self.files.items(), *((n, w.encode()) for n, w in self.refused.items())]
        ):
            digest.update(hashlib.sha256(name.encode(errors="surrogateescape")).digest())
            digest.update(hashlib.sha256(content).digest())
        return digest.hexdigest()


def _content(path: Path, room: int) -> bytes | None:
    """What is in a plain file; None if that is more than `room` bytes.

    Raises:
        OSError: if it is no plain file, or cannot be read.
    """
    if path.is_symlink() or path.is_dir():
        raise OSError(0, f"{path.name} is no plain file")
    # A pipe would wait for a writer for ever; a link is not followed, even if it appears at the last moment.
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0))
    with os.fdopen(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError(0, f"{path.name} is no plain file")
        content = file.read(room + 1)
    return content if len(content) <= room else None
