"""A storage's URL: which backend it means, and with which options.

::

    s3://bucket/folder?region=eu-west-1
    s3://KEY:SECRET@bucket?endpoint=https://storage.example.com
    gs://bucket/folder?project=shop
    mongodb://user:password@host/database?collection=files
    file:///var/lib/files?durable=false
    memory://

All but the separators may be percent-encoded, and has to be where it contains one. Nothing but the scheme is ever
repeated by an error, because the rest may contain a password in the wrong place.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple
from urllib.parse import unquote, unquote_plus

from ..errors import BackendMissing, ConfigurationError, WrongOption
from . import settings
from .backends import DEFAULT_BACKEND, option_names

# RFC 3986, section 3.1 and appendix B. The standard library's way to split drops control characters.
_begins_with_scheme = re.compile(r'([A-Za-z][A-Za-z0-9+.-]*):').match
_split = re.compile(r'[^:]*:(?://([^/?#]*))?([^?#]*)(?:\?([^#]*))?').fullmatch

_UNENCODED = re.compile(r'[\x00-\x1f\x7f]|%(?![0-9A-Fa-f]{2})')


class _Parts(NamedTuple):
    """The parts of a URL, as encoded as they were."""

    text: str
    scheme: str
    user: str
    host: str
    path: str
    query: str

    def refused(self, why: str) -> ConfigurationError:
        return ConfigurationError(f'a URL of {self.scheme}: {why}')


def backend_and_options(given: Mapping[str, Any]) -> tuple[Any, dict[str, Any]]:
    """The dotted path of the backend that settings mean, and its options.

    A ``backend`` is such a path. Without one, a ``url`` means both a backend and options, which others may stand
    beside. Raises :class:`~depot.errors.WrongOption` for an option that is given in both places, and what
    :func:`parsed` raises.
    """
    options = dict(given)
    if 'backend' in options or 'url' not in options:
        return options.pop('backend', DEFAULT_BACKEND), options
    backend, of_url = parsed(options.pop('url'))
    if twice := sorted(of_url.keys() & options.keys()):
        raise WrongOption(f'{", ".join(twice)}: given by the URL and beside it; leave one of them out')
    return backend, {**of_url, **options}


def parsed(url: str) -> tuple[str, dict[str, Any]]:
    """The dotted path of the backend that a URL means, and its options, which are texts.

    Raises :class:`~depot.errors.BackendMissing` for an unknown scheme, :class:`~depot.errors.WrongOption` for an
    option that is given twice, and :class:`~depot.errors.ConfigurationError` for what is no URL of a storage.
    """
    parts = _parts(url)
    backend, options = _SCHEMES[parts.scheme]
    return backend, options(parts)


def _parts(url: Any) -> _Parts:
    found = _split(url) if isinstance(url, str) else None
    scheme = _scheme_of(url)
    if scheme not in _SCHEMES:
        raise _unknown(scheme)
    if found is None:
        raise ConfigurationError(f'a URL of {scheme}: a # in it is written as %23')
    if _UNENCODED.search(url):
        raise ConfigurationError(f'a URL of {scheme}: a % in it is written as %25, and control characters are encoded')
    user, _, host = (found[1] or '').rpartition('@')
    return _Parts(url, scheme, user, host, found[2], found[3] or '')


def _scheme_of(text: Any) -> str:
    found = _begins_with_scheme(text) if isinstance(text, str) else None
    return found[1].lower() if found else ''


def _unknown(scheme: str) -> BackendMissing:
    what = f'no storage has URLs of the scheme {scheme!r}' if scheme else 'a URL begins with a scheme'
    return BackendMissing(
        f'{what}; choose from {", ".join(_SCHEMES)} (a folder is file:///path, or file:path below the one at hand); '
        "other backends are named by their dotted path, as 'backend'"
    )


def _s3(parts: _Parts) -> dict[str, Any]:
    options = {'region': 'region_name', 'endpoint': 'endpoint_url'}
    return _merged(parts, _user(parts), _in_bucket(parts), _query(parts, options))


def _gs(parts: _Parts) -> dict[str, Any]:
    _no_user(parts, 'name a file with credentials, as ?credentials=')
    return _merged(parts, _in_bucket(parts), _query(parts, {'project': 'project_id', 'endpoint': 'endpoint_url'}))


def _mongodb(parts: _Parts) -> dict[str, Any]:
    """Our options are taken out; the rest is an address of MongoDB, whose own options stay."""
    if not parts.host:
        raise parts.refused(f'it names no host; one looks like {parts.scheme}://host/database')
    if '@' in parts.path + parts.query:
        raise parts.refused(_ENCODE)
    own = [*sorted(option_names(_GRIDFS)), *settings.NAMES]
    pairs = parts.query.split('&') if parts.query else []
    ours = [each for each in pairs if unquote_plus(each.partition('=')[0]) in own]
    theirs = '&'.join(each for each in pairs if each and each not in ours)
    if theirs:
        from .mongodb.connection import check_options  # here, because it loads the driver

        check_options(theirs, [name for name in own if name != 'mongouri'])
    address = parts.text.partition('?')[0]
    options = _query(parts._replace(query='&'.join(ours)))
    return _merged(parts, {'mongouri': f'{address}?{theirs}' if theirs else address}, options)


def _file(parts: _Parts) -> dict[str, Any]:
    """RFC 8089, and paths that are not absolute."""
    if parts.user or parts.host not in ('', 'localhost'):
        raise parts.refused('it names a host; one looks like file:///path, or file:path below the folder at hand')
    if not parts.path:
        raise parts.refused('it names no folder; one looks like file:///path, or file:path below the folder at hand')
    return _merged(parts, {'storage_path': unquote(parts.path, errors='surrogateescape')}, _query(parts))


def _memory(parts: _Parts) -> dict[str, Any]:
    if parts.user or parts.host or parts.path:
        raise parts.refused('there is one memory, without a host or a path: memory://')
    options = _query(parts)
    if unknown := [name for name in options if name not in settings.NAMES]:  # the storage itself would ignore it
        raise WrongOption(f'a URL of memory: no option {unknown[0]!r}; its options are: {", ".join(settings.NAMES)}')
    return options


_GRIDFS = 'depot.io.gridfs.GridFSStorage'

_SCHEMES: dict[str, tuple[str, Callable[[_Parts], dict[str, Any]]]] = {
    's3': ('depot.io.boto3.S3Storage', _s3),
    'gs': ('depot.io.gcs.GCSStorage', _gs),
    'mongodb': (_GRIDFS, _mongodb),
    'mongodb+srv': (_GRIDFS, _mongodb),
    'file': ('depot.io.local.LocalFileStorage', _file),
    'memory': ('depot.io.memory.MemoryFileStorage', _memory),
}

#: What a storage's URL may begin with.
SCHEMES = tuple(_SCHEMES)

_ENCODE = 'a / ? # @ or : in a user, key, secret or password is percent-encoded: %2F %3F %23 %40 %3A'


def _user(parts: _Parts) -> dict[str, Any]:
    key, _, secret = parts.user.partition(':')
    if not parts.user:
        return {}
    if not (key and secret):
        raise parts.refused('it has half of the credentials; they look like KEY:SECRET@bucket')
    if ':' in secret or '@' in parts.user:
        raise parts.refused(_ENCODE)
    return {'access_key_id': _decoded(parts, key), 'secret_access_key': _decoded(parts, secret)}


def _no_user(parts: _Parts, instead: str) -> None:
    if parts.user:
        raise parts.refused(f'no user stands before the bucket; {instead}')


def _in_bucket(parts: _Parts) -> dict[str, Any]:
    """The bucket; and the path, if there is one, as a folder: with a slash at its end."""
    if not parts.host:
        raise parts.refused(f'it names no bucket; one looks like {parts.scheme}://bucket/folder')
    if ':' in parts.host:  # a port, or credentials that were cut by a slash in them
        raise parts.refused(f'a bucket has no port, the server is named as ?endpoint=; {_ENCODE}')
    folder = _decoded(parts, parts.path[1:])
    prefix = {'prefix': folder if folder.endswith('/') else f'{folder}/'} if folder else {}
    return {'bucket': _decoded(parts, parts.host), **prefix}


def _query(parts: _Parts, short: Mapping[str, str] | None = None) -> dict[str, Any]:
    """The options behind the question mark, some of which have a shorter name there."""
    pairs = [each.partition('=') for each in parts.query.split('&') if each]
    decoded = [(_decoded(parts, name, unquote_plus), _decoded(parts, value, unquote_plus)) for name, _, value in pairs]
    return _merged(parts, *({(short or {}).get(name, name): value} for name, value in decoded))


def _merged(parts: _Parts, *several: dict[str, Any]) -> dict[str, Any]:
    merged: dict[str, Any] = {}
    for each in several:
        if twice := sorted(merged.keys() & each.keys()):
            raise WrongOption(f'a URL of {parts.scheme}: {", ".join(twice)} is given twice')
        merged.update(each)
    return merged


def _decoded(parts: _Parts, text: str, unquoted: Callable[..., str] = unquote) -> str:
    try:
        return unquoted(text, errors='strict')
    except UnicodeDecodeError:
        raise parts.refused('what is percent-encoded in it is not UTF-8') from None
