"""The environment of a simulated call."""

from __future__ import annotations

import os
from collections.abc import Container, Iterator, Mapping
from contextlib import contextmanager


@contextmanager
def environment(given: Mapping[str, str], without: Container[str] = ()) -> Iterator[None]:
    """While this is entered, these environment variables are set, and others that it names are not. Then all are as they were."""
    before = dict(os.environ)
    for name in [one for one in before if one in without]:
        del os.environ[name]
    os.environ.update(given)
    try:
        yield
    finally:
        for name in os.environ.keys() - before.keys():
            del os.environ[name]
        os.environ.update(before)
