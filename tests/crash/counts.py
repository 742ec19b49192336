"""The line that every harness prints."""

from __future__ import annotations

from dataclasses import dataclass, fields


@dataclass
class Counts:
    """How often each law was broken."""

    #: A row names a file that is missing.
    dangling: int = 0
    #: A content is not what its row says.
    torn: int = 0
    #: A committed row, or its content, is gone.
    lost: int = 0
    #: A row is there that was rolled back.
    phantom: int = 0
    #: A file is there that no row names.
    orphans: int = 0
    #: Something unfinished is left in the folder.
    temporary: int = 0
    #: A commit that was acknowledged did not happen.
    lost_ack: int = 0

    def __str__(self) -> str:
        return ' '.join(f'{each.name}={getattr(self, each.name)}' for each in fields(self))

    def __bool__(self) -> bool:
        """Whether any law was broken."""
        return any(getattr(self, each.name) for each in fields(self))

    def __iadd__(self, other: Counts) -> Counts:
        for each in fields(self):
            setattr(self, each.name, getattr(self, each.name) + getattr(other, each.name))
        return self
