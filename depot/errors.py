"""What can go wrong: one tree, each error also the builtin that fits it.

::

    DepotError
    ├── ConfigurationError (RuntimeError)     the manager cannot be set up like this
    │   ├── NameTaken (ValueError)            a storage or an alias has this name already
    │   ├── InvalidMountpoint (ValueError)    files cannot be served below this path
    │   ├── BackendMissing (ImportError)      no such backend, or its package is not installed
    │   ├── WrongOption (TypeError)           the backend does not take this option
    │   ├── WrongCredentials (ValueError)     the backend cannot say with these who it is
    │   └── WrongPolicy (AssertionError)      files are neither public nor private with it
    ├── UnknownStorage (OSError, ValueError,  no storage is configured under this name
    │                   RuntimeError)
    ├── InvalidFileId (ValueError)            not an id that this storage gives
    ├── InvalidKey (ValueError)               not a key that a derived file can have
    ├── InvalidPath (ValueError)              not of the form ``storage/id``
    ├── InvalidLink (ValueError)              a file has no URL with these options
    ├── WrongSignature (ValueError)           not signed for this, or valid no more
    ├── InvalidRange (ValueError)             not from one byte up to a later one
    ├── InvalidDate (ValueError,              not a date of HTTP
    │                RuntimeError)
    ├── InvalidVariant (ValueError)           not a recipe that a rendition can be made by
    ├── InvalidImage (ValueError)             not an image, or none that can be read wholly
    │   └── ImageTooLarge                     of more pixels or frames than is allowed
    ├── RenditionBusy (RuntimeError)          too many renditions are being made
    ├── InvalidContent (TypeError)            not something whose bytes can be stored
    ├── InvalidValue (ValueError)             not something a file column can hold
    ├── InvalidMapping (TypeError)            not a model that file columns can work in
    ├── FileMissing (OSError)                 no file has this id
    ├── CorruptMetadata (ValueError)          what is known of a file cannot be read
    ├── StorageFailure (OSError)              the place where the bytes live did not do it
    ├── Unsupported (NotImplementedError)     the storage does not claim to do this
    └── ImmutableFile (TypeError)             a saved file's information does not change

The message comes first and says what was asked and what would work; the
evidence follows as attributes that may be None, so that every error can be
pickled.
"""

from __future__ import annotations

from typing import Any


class DepotError(Exception):
    """The root of every error that ``depot`` raises on its own account."""


class ConfigurationError(DepotError, RuntimeError):
    """The manager cannot be set up like this."""


class NameTaken(ConfigurationError, ValueError):
    """A storage or an alias has this name already."""


class InvalidMountpoint(ConfigurationError, ValueError):
    """Not a path below which files can be served."""


class BackendMissing(ConfigurationError, ImportError):
    """The backend's dotted path leads nowhere, or its package is missing."""


class WrongOption(ConfigurationError, TypeError):
    """The backend does not take this option."""


class WrongCredentials(ConfigurationError, ValueError):
    """The backend cannot say with these who it is: there are none, or they are none of its kind."""


class WrongPolicy(ConfigurationError, AssertionError):
    """A policy other than the two: files that everybody can fetch, or that nobody can without a signed URL."""


class UnknownStorage(DepotError, OSError, ValueError, RuntimeError):
    """No storage is configured under this name.

    It is three builtins, because the published package raised a different
    one at each place where a storage is looked up.
    """

    def __init__(self, message: str, name: str | None = None) -> None:
        super().__init__(message)
        #: The name that was asked for.
        self.name = name


class InvalidFileId(DepotError, ValueError):
    """Not an id that this storage gives."""

    def __init__(self, message: str, file_id: Any = None) -> None:
        super().__init__(message)
        #: What was given for an id.
        self.file_id = file_id


class InvalidKey(DepotError, ValueError):
    """Not a key that a derived file can have."""


class InvalidPath(DepotError, ValueError):
    """Not of the form ``storage/id``."""


class InvalidLink(DepotError, ValueError):
    """Not options that a file's URL can have."""


class WrongSignature(DepotError, ValueError):
    """Not signed by us, for this, or valid no more; nothing tells which."""


class InvalidRange(DepotError, ValueError):
    """Not a range of bytes from one position up to the same or a later one."""


class InvalidDate(DepotError, ValueError, RuntimeError):
    """Not a date in any of the forms that HTTP has for one."""


class InvalidVariant(DepotError, ValueError):
    """Not a recipe that a rendition can be made by."""


class InvalidImage(DepotError, ValueError):
    """Not an image, not one of the formats that are read, or broken."""

    #: Of a stored file, what tells the content that it is about from another one.
    content: tuple[object, ...] | None = None


class ImageTooLarge(InvalidImage):
    """The image has more pixels, frames or bytes than is allowed, or takes more memory or time."""


class RenditionBusy(DepotError, RuntimeError):
    """As many renditions as are allowed at once are being made, and as many as are allowed wait for it."""


class InvalidContent(DepotError, TypeError):
    """Not something whose bytes can be stored."""


class InvalidValue(DepotError, ValueError):
    """Not something that a file column can hold."""


class InvalidMapping(DepotError, TypeError):
    """Not a model that file columns can work in."""


class FileMissing(DepotError, OSError):
    """No file has this id; ``storage.exists()`` tells beforehand."""

    def __init__(self, message: str, file_id: str | None = None) -> None:
        super().__init__(message)
        #: The id that was asked for.
        self.file_id = file_id


class CorruptMetadata(DepotError, ValueError):
    """What the storage knows of a file cannot be read."""

    def __init__(self, message: str, file_id: str | None = None) -> None:
        super().__init__(message)
        #: The id of the file.
        self.file_id = file_id


class StorageFailure(DepotError, OSError):
    """The place where the bytes live did not do what it was asked.

    The cause is chained (``__cause__``); its ``errno`` is kept.
    """

    def __init__(self, message: str, path: str | None = None, errno: int | None = None) -> None:
        super().__init__(message)
        #: The path, key or address that was worked on.
        self.path = path
        self.errno = errno

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (*self.args, self.path, self.errno)  # OSError does not pickle an errno of its own


class Unsupported(DepotError, NotImplementedError):
    """The storage does not do this; its ``capabilities`` tell beforehand."""


class ImmutableFile(DepotError, TypeError):
    """The information of a saved file does not change; assign a new file."""
