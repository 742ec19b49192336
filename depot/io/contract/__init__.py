"""The promises of a storage, as tests that its author inherits.

::

    class TestMyStorage(StorageContract, unittest.TestCase):
        def make_storage(self):
            return MyStorage(bucket='test')

pytest and unittest run it alike. What a storage does not claim in its
``capabilities`` is skipped. See :class:`.base.ContractBase` for what else a
subclass may override.
"""

from __future__ import annotations

from .additions import AdditionsContract
from .contents import ContentsContract
from .derived import DerivedContract
from .deriving import DerivingContract
from .failures import FailuresContract
from .ids import IdsContract
from .lifecycle import LifecycleContract
from .names import NamesContract
from .ranges import RangesContract
from .readers import ReadersContract
from .stored import StoredFileContract

__all__ = ['StorageContract']


class StorageContract(
    LifecycleContract,
    ContentsContract,
    NamesContract,
    IdsContract,
    FailuresContract,
    StoredFileContract,
    ReadersContract,
    RangesContract,
    AdditionsContract,
    DerivedContract,
    DerivingContract,
):
    """Every promise of :class:`~depot.io.interfaces.FileStorage` and :class:`~depot.io.interfaces.StoredFile`."""
