"""A process that makes a rendition when it is told to, and says how many images it decoded for that."""

from __future__ import annotations

import sys
import time

from depot.images import decoding
from depot.images.renditions import make_variant
from depot.manager import DepotManager

_transformed = decoding.transformed
_made = []


def counted(source, variant):
    _made.append(variant)
    print('making', flush=True)
    if sys.argv[4:] == ['for-ever']:
        time.sleep(3600)
    return _transformed(source, variant)


decoding.transformed = counted
DepotManager.configure('default', f'file://{sys.argv[1]}')
print('ready', flush=True)
sys.stdin.readline()
make_variant(sys.argv[2], sys.argv[3])
print(f'made {len(_made)}', flush=True)
