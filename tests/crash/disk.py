"""A disk that remembers what was synced and what was not, so that its power can fail.

As POSIX has it, and no kinder: a file's content is safe after its own sync, a name after a sync of the folder it is
in. Of what was done since, a power loss may take anything, and leave a part of a write.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Union

from .trace import Call


class File:
    """A content, and the writes that are not safe yet."""

    def __init__(self) -> None:
        self.safe = bytearray()
        #: Offset and data, or a new size and None.
        self.pending: list[tuple[int, bytes | None]] = []

    def sync(self) -> None:
        self.safe = self.content(self.pending)
        self.pending = []

    def content(self, writes: list[tuple[int, bytes | None]]) -> bytearray:
        """The safe content with some of the writes."""
        content = bytearray(self.safe)
        for offset, data in writes:
            if data is None:
                del content[offset:]
            content.extend(bytes(max(0, offset - len(content))))
            content[offset : offset + len(data or b'')] = data or b''
        return content


class Folder:
    """Names, and the changes of them that are not safe yet."""

    def __init__(self) -> None:
        self.safe: dict[str, Node] = {}
        #: An old name or a new node, and the new name or None.
        self.pending: list[tuple[str | Node, str | None]] = []

    def sync(self) -> None:
        self.safe = self.names(self.pending)
        self.pending = []

    def names(self, changes: list[tuple[Any, str | None]]) -> dict[str, Node]:
        """The safe names with some of the changes."""
        names = dict(self.safe)
        for old, name in changes:
            node = names.pop(old, None) if isinstance(old, str) else old
            if node is not None and name is not None:
                names[name] = node
        return names

    @property
    def now(self) -> dict[str, Node]:
        """The names as a process sees them."""
        return self.names(self.pending)


Node = Union[File, Folder]

#: Which of the pending changes a power loss leaves.
Survivors = Callable[[list[Any]], list[Any]]


class Disk:
    """All below one folder, which is empty at first."""

    def __init__(self, place: Path) -> None:
        self.root = Folder()
        self._place = place
        #: By descriptor: what is open, and the position.
        self._open: dict[int, tuple[Node | None, int]] = {}

    def do(self, call: Call) -> None:
        """Follows one system call."""
        getattr(self, f'_{call.name}')(*call.arguments, result=call.result)

    def at(self, path: Path) -> Node | None:
        """What is there now, if anything."""
        node: Node | None = self.root
        for name in path.relative_to(self._place).parts:
            node = node.now.get(name) if isinstance(node, Folder) else None
        return node

    def opened(self, descriptor: Any) -> Node | None:
        """What a descriptor stands for, if it is below the folder."""
        return self._open.get(descriptor, (None, 0))[0]

    def sync(self) -> None:
        """Makes all safe."""
        nodes: list[Node] = [self.root]
        for node in nodes:
            node.sync()
            nodes += node.safe.values() if isinstance(node, Folder) else []

    def lose_power(self, target: Path, names: Survivors, writes: Survivors) -> None:
        """Writes what is left into an empty folder."""
        folders = [(target, self.root)]
        for path, folder in folders:
            path.mkdir(exist_ok=True)
            for name, node in folder.names(names(folder.pending)).items():
                if isinstance(node, Folder):
                    folders.append((path / name, node))
                else:
                    (path / name).write_bytes(node.content(writes(node.pending)))

    def _above(self, path: Any) -> tuple[Folder | None, str]:
        """The folder of a path, if it is ours, and the name in it. Some names are of memory, not of the disk."""
        found = Path(path.decode())
        if self._place not in found.parents or found.name.endswith('-shm'):
            return None, found.name
        folder = self.at(found.parent)
        return (folder if isinstance(folder, Folder) else None), found.name

    def _change(self, path: Any, old: Any, new_name: str | None) -> None:
        folder, _name = self._above(path)
        if folder is not None:
            folder.pending.append((old, new_name))

    def _openat(self, _where: str, path: bytes, flags: str, *mode: Any, result: int) -> None:
        folder, name = self._above(path)
        node = folder.now.get(name) if folder else None
        if folder and node is None and 'O_CREAT' in flags:
            node = File()
            folder.pending.append((node, name))
        elif Path(path.decode()) == self._place:
            node = self.root
        self._open[result] = (node, 0)

    def _mkdir(self, path: bytes, *mode: Any, result: int) -> None:
        self._change(path, Folder(), self._above(path)[1])

    def _rename(self, source: bytes, target: bytes, result: int) -> None:
        assert Path(source.decode()).parent == Path(target.decode()).parent, 'not needed so far'
        self._change(source, self._above(source)[1], self._above(target)[1])

    def _unlink(self, path: bytes, result: int) -> None:
        self._change(path, self._above(path)[1], None)

    _rmdir = _unlink

    def _write(self, descriptor: int, data: bytes, size: int, result: int) -> None:
        node, position = self._open.get(descriptor, (None, 0))
        self._pwrite64(descriptor, data, size, position, result)
        self._open[descriptor] = (node, position + result)

    def _pwrite64(self, descriptor: int, data: bytes, size: int, offset: int, result: int) -> None:
        node = self.opened(descriptor)
        if isinstance(node, File):
            node.pending.append((offset, data[:result]))

    def _ftruncate(self, descriptor: int, size: int, result: int) -> None:
        node = self.opened(descriptor)
        if isinstance(node, File):
            node.pending.append((size, None))

    def _fsync(self, descriptor: int, result: int) -> None:
        node = self.opened(descriptor)
        if node is not None:
            node.sync()

    _fdatasync = _fsync
