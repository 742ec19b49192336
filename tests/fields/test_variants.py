"""Variants of uploaded files: made from anything that a column holds, and named by the column."""

from __future__ import annotations

import asyncio
import copy
import json
import pickle
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from ming import schema
from ming.odm import FieldProperty, MappedClass, Mapper
from sqlalchemy import Engine, insert, select, type_coerce
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine
from sqlalchemy.orm import Mapped, Session, mapped_column

from depot.errors import ConfigurationError, InvalidImage, InvalidVariant, WrongOption
from depot.fields.interfaces import DepotFileInfo, FileFilter
from depot.fields.ming import UploadedFileProperty
from depot.fields.sqlalchemy import UploadedFileField
from depot.fields.upload import UploadedFile
from depot.fields.variants import Rendition
from depot.images import decoding
from depot.images.recipe import Variant
from depot.images.renditions import find
from depot.io.memory import MemoryFileStorage
from depot.manager import DepotManager

from ..images.photos import THUMB, Counted, photo, size_of
from ..images.photos import makings as makings
from ..services.ming import SESSION
from ..services.ming import database_url as database_url
from ..services.ming import world as world

KEY = 'a key of the tests'
SMALL = Variant(resize_to_limit=(8, 8))


@pytest.fixture(autouse=True)
def default(storage: MemoryFileStorage) -> MemoryFileStorage:
    DepotManager.make_middleware(None, secret_key=KEY)
    return storage


@pytest.fixture
def photos(base: Any) -> Any:
    class Photo(base):
        __tablename__ = 'photos'
        id: Mapped[int] = mapped_column(primary_key=True)
        image: Mapped[Any] = mapped_column(UploadedFileField(variants={'thumb': THUMB, 'small': SMALL}))
        other: Mapped[Any] = mapped_column(UploadedFileField, nullable=True)

    return Photo


@pytest.fixture
def untouchable(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """From now on nobody asks a storage for anything."""

    def forbid() -> None:
        for each in 'get', 'exists', 'list', 'create', 'get_derived', 'put_derived', 'open_range', 'url':
            monkeypatch.setattr(MemoryFileStorage, each, lambda *_, each=each: pytest.fail(f'{each} of a storage'))

    return forbid


def is_made(file: Any, variant: Variant) -> bool:
    return find(file.depot, file.file_id, variant) is not None


# From anything that a column holds


def test_a_variant_of_an_uploaded_file_is_a_picture(makings: Counted) -> None:
    rendition = UploadedFile(photo()).variant(resize_to_fill=(20, 20), format='webp')
    assert size_of(rendition.file.read()) == (20, 20)
    assert rendition.file.content_type == 'image/webp'
    assert len(makings) == 1


def test_a_variant_is_written_out_or_ready_or_of_steps() -> None:
    file = UploadedFile(photo())
    assert file.variant(resize_to_fill=(20, 20)) == file.variant(THUMB) == file.variant(('resize_to_fill', (20, 20)))
    assert file.variant(THUMB) != file.variant(SMALL)
    assert file.variant(THUMB) != UploadedFile(photo()).variant(THUMB)


@pytest.mark.parametrize('wrong', [{'size': 3}, {'resize': 'large'}, {'resize_to_fill': (0, 0)}])
def test_what_is_no_recipe_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(InvalidVariant):
        UploadedFile(photo()).variant(**wrong)


def test_it_can_be_made_ahead_of_the_first_demand(makings: Counted) -> None:
    file = UploadedFile(photo())
    file.variant(THUMB).make()
    assert is_made(file, THUMB)
    file.variant(THUMB).make()
    assert len(makings) == 1


def test_what_is_no_image_has_no_rendition() -> None:
    with pytest.raises(InvalidImage):
        _ = UploadedFile(b'no image').variant(THUMB).file


def test_a_rendition_can_be_sent_elsewhere() -> None:
    rendition = UploadedFile(photo()).variant(THUMB)
    assert pickle.loads(pickle.dumps(rendition)) == copy.copy(rendition) == rendition
    assert {rendition: 1}[copy.deepcopy(rendition)] == 1


# URLs


def test_a_url_asks_neither_storage_nor_database(
    photos: Any, saved: Any, session: Session, untouchable: Callable[[], None], makings: Counted
) -> None:
    image = saved(photos(image=photo())).image
    untouchable()
    session.close()
    assert image.thumb.url.startswith(f'/depot/{image.path}?token=')
    assert image.variant(SMALL).url == image.small.url
    assert len(makings) == 0


def test_the_url_of_a_public_file_is_always_the_same() -> None:
    file = UploadedFile(photo())
    assert file.variant(THUMB).url == file.variant(Variant(resize_to_fill=[20, 20])).url
    assert file.variant(THUMB).url != file.variant(SMALL).url


def test_a_url_takes_the_options_of_files() -> None:
    rendition = UploadedFile(photo()).variant(THUMB)
    urls = {
        rendition.url,
        rendition.url_for(expires=10),
        rendition.url_for(download=True),
        rendition.url_for(filename='mine.png'),
        rendition.url_for(fingerprint='session'),
    }
    assert len(urls) == 5
    with pytest.raises(ConfigurationError, match='base_url'):
        rendition.url_for(absolute=True)
    with pytest.raises(TypeError, match='expired'):
        rendition.url_for(expired=10)


def test_a_url_is_signed() -> None:
    DepotManager._middleware = None
    DepotManager.make_middleware(None)
    with pytest.raises(ConfigurationError, match='rendition.*secret_key'):
        _ = UploadedFile(photo()).variant(THUMB).url


def test_a_middleware_of_somebody_else_is_told_that_it_has_no_renditions() -> None:
    class Theirs:
        def url_for(self, path: str) -> str:
            return path

    DepotManager._middleware = Theirs()
    with pytest.raises(WrongOption, match='rendition'):
        _ = UploadedFile(photo()).variant(THUMB).url


# Named by the column


def test_a_named_variant_is_an_attribute_before_and_after_the_commit(photos: Any, saved: Any, session: Session) -> None:
    new = photos(image=photo())
    before = new.image.thumb
    assert isinstance(before, Rendition)
    saved(new)
    session.expire_all()
    assert new.image.thumb == before
    assert size_of(new.image.small.file.read()) == (8, 6)


def test_names_are_not_kept_in_the_row(photos: Any, saved: Any, engine: Engine) -> None:
    image = saved(photos(image=photo())).image
    assert not {'thumb', 'small', '_variants'} & {*json.loads(image.encode())}
    with engine.connect() as connection:
        assert 'resize' not in connection.exec_driver_sql('SELECT image FROM photos').scalar_one()


def test_what_has_no_such_variant_says_what_it_has(photos: Any) -> None:
    file = photos(image=photo(), other=photo())
    with pytest.raises(AttributeError, match="no 'thumbnail'"):
        _ = file.image.thumbnail
    with pytest.raises(AttributeError, match="no 'thumb'"):
        _ = file.other.thumb


def test_the_same_file_in_another_column_has_the_variants_of_that(base: Any) -> None:
    class Page(base):
        __tablename__ = 'pages'
        id: Mapped[int] = mapped_column(primary_key=True)
        image: Mapped[Any] = mapped_column(UploadedFileField(variants={'thumb': THUMB}))
        cover: Mapped[Any] = mapped_column(UploadedFileField(variants={'thumb': SMALL}))

    page = Page(image=photo())
    page.cover = page.image
    assert page.cover == page.image
    assert page.cover.files == page.image.files
    assert (page.image.thumb.variant, page.cover.thumb.variant) == (THUMB, SMALL)


def test_a_copied_file_goes_with_the_transaction_of_its_copies(base: Any, saved: Any, session: Session) -> None:
    class Page(base):
        __tablename__ = 'pages'
        id: Mapped[int] = mapped_column(primary_key=True)
        image: Mapped[Any] = mapped_column(UploadedFileField(variants={'thumb': THUMB}), nullable=True)
        cover: Mapped[Any] = mapped_column(UploadedFileField(variants={'thumb': SMALL}), nullable=True)

    page = saved(Page(image=photo()))
    page.cover = page.image
    page.image = None
    session.commit()
    assert size_of(page.cover.thumb.file.read()) == (8, 6)
    page.cover = None
    session.commit()
    assert DepotManager.require().list() == []


@pytest.mark.parametrize(
    'duplicate',
    [copy.copy, copy.deepcopy, lambda each: pickle.loads(pickle.dumps(each))],
    ids=['copy', 'deep', 'pickle'],
)
def test_copies_keep_them(photos: Any, saved: Any, duplicate: Callable[[Any], Any]) -> None:
    image = saved(photos(image=photo())).image
    again = duplicate(image)
    assert again == image
    assert again.thumb == image.thumb


def test_a_list_of_files_has_them_in_each(base: Any, saved: Any, session: Session) -> None:
    class Album(base):
        __tablename__ = 'albums'
        id: Mapped[int] = mapped_column(primary_key=True)
        photos: Mapped[Any] = mapped_column(UploadedFileField(multiple=True, variants={'thumb': THUMB}))

    album = Album(photos=[photo()])
    album.photos.append(photo(blue=1))
    saved(album)
    album.photos.append(photo(blue=0.5))
    sizes = [size_of(each.thumb.file.read()) for each in album.photos]
    session.expire_all()
    assert sizes == [size_of(each.thumb.file.read()) for each in album.photos] + sizes[2:] == [(20, 20)] * 3


def test_what_a_select_gives_has_them(photos: Any, saved: Any, session: Session) -> None:
    saved(photos(image=photo()))
    assert session.scalar(select(photos.image)).thumb.variant == THUMB


def test_one_select_does_not_take_the_names_of_another(photos: Any, saved: Any, session: Session) -> None:
    saved(photos(image=photo()))
    for variant in THUMB, SMALL:
        field = UploadedFileField(variants={'icon': variant})
        assert session.scalar(select(type_coerce(photos.image, field))).icon.variant == variant


def test_a_row_that_a_statement_inserts_has_them(photos: Any, engine: Engine, session: Session) -> None:
    photos.metadata.create_all(engine)
    session.execute(insert(photos), [{'image': photo()}])
    session.commit()
    assert size_of(session.scalar(select(photos)).image.thumb.file.read()) == (20, 20)


def test_a_column_type_can_be_pickled() -> None:
    field = pickle.loads(pickle.dumps(UploadedFileField(variants={'thumb': THUMB})))
    assert field.variants == {'thumb': THUMB}


class Extended(UploadedFile):
    """An application's own, with an attribute and a key more."""

    caption: str

    @property
    def icon(self) -> str:
        return 'icon'

    def process_content(self, content: Any, filename: str | None = None, content_type: str | None = None) -> None:
        super().process_content(content, filename, content_type)
        self['legend'] = 'text'


TAKEN = [
    *('url', 'url_for', 'file', 'path', 'filename', 'files', 'size', 'checksum', 'variant', 'encode', 'depot_name'),
    *('original_content', 'uploaded_at', 'upload', 'get', 'items', 'copy', 'pop', 'icon', 'caption'),
]


@pytest.mark.parametrize('kind', [UploadedFileField, UploadedFileProperty])
@pytest.mark.parametrize('name', TAKEN)
def test_a_name_that_means_something_else_is_refused_at_once(kind: Any, name: str) -> None:
    with pytest.raises(ConfigurationError, match=f"'{name}', which means something else.* {name}_variant would do"):
        kind(upload_type=Extended, variants={name: THUMB})
    kind(upload_type=Extended, variants={f'{name}_variant': THUMB})


@pytest.mark.parametrize('name', ['', 'two words', '1st', 'class', '_thumb', 'a-b', 3, None])
def test_what_cannot_be_a_name_is_refused_at_once(name: Any) -> None:
    with pytest.raises(ConfigurationError, match='cannot be the name'):
        UploadedFileField(variants={name: THUMB})


@pytest.mark.parametrize('wrong', [None, (200, 200), 'resize', {'resize': (200, 200)}])
def test_what_is_no_variant_is_refused_at_once(wrong: Any) -> None:
    with pytest.raises(ConfigurationError, match=r"variants = \['thumb'\] are no recipes by name"):
        UploadedFileField(variants=['thumb'])
    with pytest.raises(ConfigurationError, match="'thumb' is .*; one looks like Variant"):
        UploadedFileField(variants={'thumb': wrong})


def test_a_type_without_variants_has_no_names_for_them() -> None:
    class Other(DepotFileInfo):
        pass

    with pytest.raises(ConfigurationError, match='derive it from UploadedFile'):
        UploadedFileField(upload_type=Other, variants={'thumb': THUMB})


class AddLegend(FileFilter):
    def on_save(self, uploaded_file: Any) -> None:
        uploaded_file['legend'] = 'text'


@pytest.mark.parametrize('how', [{'upload_type': Extended}, {'filters': [AddLegend()]}], ids=['type', 'filter'])
def test_a_key_that_is_added_later_is_not_hidden(base: Any, default: MemoryFileStorage, how: dict[str, Any]) -> None:
    class Page(base):
        __tablename__ = 'pages'
        id: Mapped[int] = mapped_column(primary_key=True)
        image: Mapped[Any] = mapped_column(UploadedFileField(variants={'legend': THUMB}, **how))

    with pytest.raises(ConfigurationError, match="'legend', which means something else"):
        Page(image=photo())
    assert default.files == {}


def test_the_key_of_an_old_row_is_what_it_was(photos: Any, saved: Any, session: Session) -> None:
    old = UploadedFile({**UploadedFile(photo()), 'thumb': 'of old'})
    assert saved(photos(image=old)).image.thumb == 'of old'


# Made together with the original


@pytest.fixture
def eager(base: Any, engine: Engine) -> Any:
    class Eager(base):
        __tablename__ = 'eager'
        id: Mapped[int] = mapped_column(primary_key=True)
        image: Mapped[Any] = mapped_column(
            UploadedFileField(variants={'thumb': Variant(resize_to_fill=(20, 20), eager=True), 'small': SMALL})
        )

    base.metadata.create_all(engine)
    return Eager


def test_what_is_eager_is_made_before_the_commit(eager: Any, session: Session, makings: Counted) -> None:
    new = eager(image=photo())
    session.add(new)
    session.flush()
    assert is_made(new.image, THUMB)
    assert not is_made(new.image, SMALL)
    session.commit()
    assert size_of(new.image.thumb.file.read()) == (20, 20)
    assert makings.made == [THUMB]


def test_what_is_eager_goes_with_a_rollback(eager: Any, session: Session, default: MemoryFileStorage) -> None:
    session.add(eager(image=photo()))
    session.flush()
    session.rollback()
    assert default.files == {}


def test_an_original_without_its_eager_rendition_is_refused_and_leaves_nothing(
    eager: Any, session: Session, default: MemoryFileStorage
) -> None:
    for content in b'no image', photo()[:40]:
        with pytest.raises(InvalidImage):
            eager(image=content)
        with pytest.raises(InvalidImage):
            session.execute(insert(eager), [{'image': content}])
        session.rollback()
    assert default.files == {}


def test_what_statements_insert_is_made_eagerly_too(eager: Any, session: Session) -> None:
    session.execute(insert(eager), [{'image': photo()}, {'image': photo(blue=1)}])
    session.commit()
    assert [is_made(each.image, THUMB) for each in session.scalars(select(eager))] == [True, True]


def test_a_file_that_was_uploaded_ahead_has_it_made_by_then(eager: Any) -> None:
    assert is_made(eager.__table__.c.image.type.upload(photo()), THUMB)


def test_a_file_that_was_assigned_before_is_not_decoded_again(eager: Any, session: Session, makings: Counted) -> None:
    image = eager(image=photo()).image
    session.add(eager(image=image))
    session.commit()
    assert len(makings) == 1


async def assigned_after_upload(eager: Any, session: AsyncSession) -> None:
    session.add(eager(image=await eager.image.type.upload_async(photo())))


async def inserted(eager: Any, session: AsyncSession) -> None:
    await session.execute(insert(eager), [{'image': photo()}])


@pytest.mark.parametrize('way', [assigned_after_upload, inserted])
def test_under_asyncio_no_event_loop_makes_what_is_eager(
    eager: Any, engine: Engine, monkeypatch: pytest.MonkeyPatch, way: Any
) -> None:
    threads = []

    def transformed(source: Any, variant: Variant) -> Any:
        threads.append(threading.get_ident())
        return Counted()(source, variant)

    async def main() -> None:
        connected = create_async_engine(engine.url.set(drivername='sqlite+aiosqlite'))
        try:
            async with AsyncSession(connected) as session:
                await way(eager, session)
                await session.commit()
                assert is_made((await session.scalar(select(eager))).image, THUMB)
        finally:
            await connected.dispose()

    monkeypatch.setattr(decoding, 'transformed', transformed)
    asyncio.run(main())
    assert len(threads) == 1
    assert threading.get_ident() not in threads


# Ming


class Photo(MappedClass):
    class __mongometa__:  # noqa: N801
        session = SESSION
        name = 'photo'

    _id: Any = FieldProperty(schema.ObjectId)
    image: Any = UploadedFileProperty(
        variants={'thumb': Variant(resize_to_fill=(20, 20), eager=True), 'small': Variant(resize_to_limit=(8, 8))}
    )


Mapper.compile_all()


@pytest.fixture
def mongodb(database_url: str, default: MemoryFileStorage) -> Iterator[Any]:
    from ..services import ming

    ming.connect(database_url)
    yield SESSION
    ming.disconnect()


@pytest.mark.parametrize('world', ['secantusdb memory', 'mim memory'], indirect=True)
@pytest.mark.usefixtures('world')
def test_a_document_of_ming_has_them(mongodb: Any, default: MemoryFileStorage) -> None:
    image = Photo(image=photo()).image
    assert is_made(image, THUMB)
    mongodb.flush()
    mongodb.clear()
    document = Photo.query.find().first()
    assert document.image.thumb == image.thumb
    assert document.image.thumb.url.startswith('/depot/default/')
    assert size_of(document.image.small.file.read()) == (8, 6)
    assert type(document.image.variant(SMALL)) is Rendition
    with pytest.raises(InvalidImage):
        document.image = b'no image'
    assert len(default.files) == 1
