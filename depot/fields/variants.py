"""The renditions of an uploaded file, and those that a column gives names to."""

from __future__ import annotations

import copy
import inspect
from collections.abc import Mapping
from keyword import iskeyword
from typing import Any, NamedTuple, TypeVar

from ..errors import ConfigurationError
from ..images.recipe import Variant
from ..images.renditions import rendition
from ..io.interfaces import StoredFile
from ..manager import DepotManager
from .interfaces import DepotFileInfo, FileFilter

Info = TypeVar('Info', bound=DepotFileInfo)

#: Recipes by their names.
Variants = Mapping[str, Variant]


class Rendition(NamedTuple):
    """What a recipe makes of an uploaded file; it need not be made yet."""

    #: ``'storage/id'`` of the file.
    path: str
    #: The recipe.
    variant: Variant

    @property
    def url(self) -> str:
        """Where a client can fetch it, which has it made if it is not; the storage is not asked.

        Of a public storage, it is the same URL always; of a private one it works for a while.
        """
        return self.url_for()

    def url_for(self, **options: Any) -> str:
        """The :attr:`url` with the options of :meth:`depot.fields.upload.UploadedFile.url_for`.

        Raises :class:`~depot.errors.ConfigurationError` if the middleware has no ``secret_key``, because
        the recipe is signed.
        """
        return DepotManager.url_for(self.path, rendition=self.variant.to_text(), **options)

    @property
    def file(self) -> StoredFile:
        """The stored file, made now unless it was before; see :func:`depot.images.renditions.rendition`."""
        return rendition(self.path, self.variant)

    def make(self) -> None:
        """Has it made, unless it was made before."""
        self.file.close()


class _CheckAndMake(FileFilter):
    """Makes renditions together with their original, and refuses a file of which there is none."""

    def __init__(self, variants: Variants) -> None:
        self._variants = variants

    def on_save(self, uploaded_file: Any) -> None:
        for name in self._variants:
            if name in uploaded_file:  # set by the application's own type, or a filter
                raise _taken(name, type(uploaded_file))
        for each in self._variants.values():
            if each.eager:
                rendition(uploaded_file.path, each).close()


def filters_for(variants: Variants) -> tuple[FileFilter, ...]:
    """What is done last when a file is saved that has variants."""
    return (_CheckAndMake(variants),) if variants else ()


def checked_variants(variants: Variants | None, upload_type: type[Any]) -> Variants:
    """Named variants, which will be attributes of the uploaded files of a column.

    Raises :class:`~depot.errors.ConfigurationError` for a name that is another attribute or key of theirs, or cannot
    be one, and for what is no recipe.
    """
    if not isinstance(variants or {}, Mapping):
        raise ConfigurationError(f"variants = {variants!r} are no recipes by name; write {{'thumb': Variant(...)}}")
    named = dict(variants or {})
    if named and not hasattr(upload_type, 'variant'):
        raise ConfigurationError(f'{upload_type.__name__} has no variants; derive it from UploadedFile')
    for name, variant in named.items():
        _check_name(name, upload_type)
        if not isinstance(variant, Variant):
            raise ConfigurationError(f'the variant {name!r} is {variant!r}; one looks like Variant(resize=(200, 200))')
    return named


def _check_name(name: Any, upload_type: type[Any]) -> None:
    is_name = isinstance(name, str) and name.isidentifier() and not iskeyword(name) and not name.startswith('_')
    if not is_name:
        raise ConfigurationError(f'{name!r} cannot be the name of a variant; one looks like thumb, or small_square')
    keys = (each for parent in upload_type.__mro__ for each in inspect.get_annotations(parent))
    if hasattr(upload_type, name) or name in keys:
        raise _taken(name, upload_type)


def _taken(name: str, upload_type: type[Any]) -> ConfigurationError:
    return ConfigurationError(
        f'a variant cannot be called {name!r}, which means something else in {upload_type.__name__}; '
        f'{name}_variant would do'
    )


def named(info: Info, variants: Variants) -> Info:
    """The information with the variants of its column; a copy if it has those of another one, which keeps them."""
    if not variants or info._variants == variants:
        return info
    if info._variants:
        info = copy.copy(info)
    info._variants = variants
    return info
