"""From a URL and a name to a database and its two collections."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from bson import CodecOptions
from pymongo import ASCENDING, IndexModel, MongoClient, ReadPreference
from pymongo.collection import Collection
from pymongo.database import Database
from pymongo.errors import InvalidName, PyMongoError
from pymongo.uri_parser import split_options

from ...errors import ConfigurationError, WrongOption

#: How a document comes from the driver.
Document = dict[str, Any]

#: An answer that the driver would wait for without end is waited for two minutes, if the URL does not say.
DEFAULT_TIMEOUT = 'socketTimeoutMS=120000'
_has_timeout = re.compile('[?&](socket)?timeoutMS=', re.IGNORECASE).search

_FORM = 'write it as mongodb://[user:password@]host[:port]/DATABASE'


def connected(mongouri: str) -> tuple[MongoClient[Document], Database[Document]]:
    """A client that connects at its first use, and the database that the URL names.

    Raises :class:`~depot.errors.ConfigurationError` for a URL that is none, or that names no database. It does not
    repeat the URL, in which a password may be in the wrong place.
    """
    try:
        client: MongoClient[Document] = MongoClient(_with_timeout(mongouri), connect=False)
    except (PyMongoError, ValueError, TypeError, OSError) as error:  # OSError: a certificate that cannot be read
        raise ConfigurationError(f'mongouri cannot be used: {error}; {_FORM}') from error
    try:
        return client, client.get_default_database()
    except PyMongoError as error:
        client.close()
        raise ConfigurationError(f'mongouri names no database; {_FORM}') from error


def check_options(query: str, ours: Iterable[str]) -> None:
    """Refuses options of a URL that the driver does not know, or cannot use; it would only warn of them.

    Raises :class:`~depot.errors.WrongOption`, which names ``ours``.
    """
    try:
        split_options(query, warn=False)
    except (PyMongoError, ValueError) as error:
        raise WrongOption(f'{error}; ours are: {", ".join(ours)}') from error


def _with_timeout(mongouri: str) -> str:
    """The URL with our default: as a keyword argument, it would go before the URL's own."""
    if _has_timeout(mongouri) or '/' not in mongouri.partition('://')[2]:  # no place for options without a database
        return mongouri
    return f'{mongouri}{"&" if "?" in mongouri else "?"}{DEFAULT_TIMEOUT}'


class Contents:
    """A collection of chunks, which are what files contain.

    They may come from where the URL says. A secondary may lag behind: what is not found there is looked for on the
    primary.
    """

    def __init__(self, database: Database[Document], name: str) -> None:
        #: For messages.
        self.name = f'{database.name}.{name}'
        self.chunks = _collection(database, f'{name}.chunks')
        #: Where to look for chunks, one after the other.
        self.chunk_sources = [self.chunks]
        if self.chunks.read_preference != ReadPreference.PRIMARY:
            self.chunk_sources.append(self.chunks.with_options(read_preference=ReadPreference.PRIMARY_PREFERRED))
        self._has_indexes = False

    def ensure_indexes(self) -> None:
        """Makes the index of the chunks of derived files, before the first is stored."""
        if not self._has_indexes and self.chunks.find_one({}, {'_id': True}) is None:
            fields = [('files_id', ASCENDING), ('n', ASCENDING), ('original', ASCENDING)]
            self.chunks.create_indexes([IndexModel(fields, unique=True)])
        self._has_indexes = True


class Bucket(Contents):
    """The two collections of a GridFS: documents of files, and the chunks of their contents.

    What is known of a file is asked of the primary server, where there is one.

    Raises :class:`~depot.errors.ConfigurationError` for a name that no collection can have.
    """

    def __init__(self, database: Database[Document], name: str) -> None:
        if not isinstance(name, str):
            raise ConfigurationError(f'collection = {name!r} is no text')
        try:
            super().__init__(database, name)
            self.files = _collection(database, f'{name}.files')
            #: What derived files contain.
            self.derived = Contents(database, f'{name}.derived')
        except InvalidName as error:
            raise ConfigurationError(f'collection = {name!r} cannot name a collection: {error}') from error
        if self.files.read_preference != ReadPreference.PRIMARY:
            self.files = self.files.with_options(read_preference=ReadPreference.PRIMARY_PREFERRED)

    def ensure_indexes(self) -> None:
        """Makes the indexes that GridFS has, before its first file is stored.

        As the specification wants it: https://github.com/mongodb/specifications/tree/master/source/gridfs
        ("Before write operations"); an index on a collection that is in use is its administrator's business.
        """
        if not self._has_indexes and self.files.find_one({}, {'_id': True}) is None:
            self.files.create_indexes([IndexModel([('filename', ASCENDING), ('uploadDate', ASCENDING)])])
            self.chunks.create_indexes([IndexModel([('files_id', ASCENDING), ('n', ASCENDING)], unique=True)])
        self._has_indexes = True


def _collection(database: Database[Document], name: str) -> Collection[Document]:
    options: CodecOptions[Document] = CodecOptions()  # whatever the URL says of time zones
    return database.get_collection(name, options)
