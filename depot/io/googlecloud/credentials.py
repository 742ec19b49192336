"""Who we are to Google: credentials from a dict, a file, JSON text, or the environment."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from typing import Any

import google.auth
from google.auth.credentials import AnonymousCredentials, Credentials
from google.auth.exceptions import GoogleAuthError
from google.oauth2 import credentials as user
from google.oauth2 import service_account

from ...errors import WrongCredentials

_SCOPE = 'https://www.googleapis.com/auth/devstorage.full_control'
_VARIABLE = 'GOOGLE_APPLICATION_CREDENTIALS'
_EMULATOR = 'STORAGE_EMULATOR_HOST'

#: Words in place of credentials: what Google's tools find by themselves; nobody.
DEFAULT, ANONYMOUS = 'default', 'anonymous'

_CHOICES = (
    f'a dict, the path of a JSON file, JSON text, an object of google-auth, {DEFAULT!r} (what Google finds by itself: '
    f'gcloud, the machine that it runs on) or {ANONYMOUS!r}'
)

# Google warns of functions that load any kind: some of them run programs, or ask URLs that the file names.
_KINDS: Mapping[str, Callable[..., Credentials]] = {
    'service_account': service_account.Credentials.from_service_account_info,
    'authorized_user': user.Credentials.from_authorized_user_info,
}


def credentials_from(given: Any) -> tuple[Credentials, str | None]:
    """The credentials that an option means, and the project that they belong to, where they tell.

    Raises :class:`~depot.errors.WrongCredentials` for what is none.
    """
    if given is None or given == '':
        return _from_environment()
    if isinstance(given, Credentials):
        return given, getattr(given, 'project_id', None)
    if given == ANONYMOUS:
        return AnonymousCredentials(), None
    if given == DEFAULT:
        return _default()
    if isinstance(given, Mapping):
        return _from_dict(given, 'the option credentials')
    if isinstance(given, (str, os.PathLike)):
        return _from_text(os.fspath(given))
    raise WrongCredentials(f'the option credentials is a {type(given).__name__}; give {_CHOICES}')


def _from_environment() -> tuple[Credentials, str | None]:
    if os.environ.get(_VARIABLE):
        return _default()
    if os.environ.get(_EMULATOR):
        return AnonymousCredentials(), None
    raise WrongCredentials(f'no credentials: set the option credentials, or {_VARIABLE}; give {_CHOICES}')


def _default() -> tuple[Credentials, str | None]:
    try:
        found: tuple[Credentials, str | None] = google.auth.default(scopes=[_SCOPE])
    except (GoogleAuthError, ValueError, OSError) as error:
        path = os.environ.get(_VARIABLE)
        where = f'{_VARIABLE} = {path!r}' if path else 'what Google finds by itself'
        raise WrongCredentials(f'no credentials in {where}: {error}; set the option credentials') from error
    return found


def _from_text(text: str) -> tuple[Credentials, str | None]:
    if text.lstrip().startswith('{'):
        return _from_dict(_parsed(text, 'the option credentials'), 'the option credentials')
    if not _looks_like_a_path(text):  # it is not repeated: it may be a key
        raise WrongCredentials(
            f'the option credentials is neither JSON nor the path of a file that is there; give {_CHOICES}'
        )
    where = f'the file {text!r} of the option credentials'
    try:
        with open(text, encoding='utf-8') as file:
            content = file.read()
    except (OSError, ValueError) as error:
        raise WrongCredentials(f'cannot read {where}: {error}') from error
    return _from_dict(_parsed(content, where), where)


def _looks_like_a_path(text: str) -> bool:
    """Whether it is a file's, or may be one's that is missing; a key, or a part of one, is neither."""
    try:
        return os.path.exists(text) or text.lower().endswith('.json')
    except ValueError:
        return False


def _parsed(text: str, where: str) -> Mapping[str, Any]:
    try:
        parsed = json.loads(text)
    except ValueError as error:
        raise WrongCredentials(f'{where} is not valid JSON: {error}') from error
    if not isinstance(parsed, dict):
        raise WrongCredentials(f'{where} holds a {type(parsed).__name__}, not the object that a key of Google is')
    return parsed


def _from_dict(info: Mapping[str, Any], where: str) -> tuple[Credentials, str | None]:
    kind = str(info.get('type'))
    if kind not in _KINDS:
        known = ', '.join(map(repr, _KINDS))
        raise WrongCredentials(
            f'{where} is of type {kind!r}, not {known}; other types are taken from {_VARIABLE}, or as an object'
        )
    try:
        return _KINDS[kind](info, scopes=[_SCOPE]), info.get('project_id') or info.get('quota_project_id')
    except (GoogleAuthError, ValueError, TypeError, AttributeError) as error:
        raise WrongCredentials(f'{where} is no key of type {kind!r}: {error}') from error
