"""Routes once: FastAPI finds out what each handler wants once in a run, not again for each application that a test makes.

Making an application took a fifth of a second, nine tenths of it the reading of signatures, the same ones each time; a
thousand tests make one each. What is found out depends on the text of a handler alone as long as nothing but plain values
stands for its arguments; where something else does, it is found out anew. Handlers themselves, and whatever they share, are
each application's own.
"""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Callable, Iterator
from types import FunctionType
from typing import Any

import fastapi.routing
import pytest

_PLAIN = (str, int, float, bool, type(None))


@contextlib.contextmanager
def routes_once() -> Iterator[None]:
    """From here on signatures are read once. (A FastAPI that has other names inside reads them each time.)"""
    with pytest.MonkeyPatch.context() as patch:
        for name, kept in (
            ("get_dependant", _wants),
            ("create_model_field", _fields),
            ("get_typed_return_annotation", _returns),
        ):
            usual = getattr(fastapi.routing, name, None)
            if usual is not None:
                patch.setattr(fastapi.routing, name, kept(usual))
        yield


def _wants(usual: Callable[..., Any]) -> Callable[..., Any]:
    known: dict[object, Any] = {}

    def get_dependant(*, path: str, call: Any, **how: Any) -> Any:
        if not _is_plain(call):
            return usual(path=path, call=call, **how)
        key = (path, call.__code__, call.__defaults__, repr(call.__kwdefaults__), repr(how))
        found = known.get(key)
        if found is None:
            found = known[key] = usual(path=path, call=call, **how)
        return dataclasses.replace(found, call=call, dependencies=[*found.dependencies])

    return get_dependant


def _is_plain(call: object) -> bool:
    if not isinstance(call, FunctionType) or hasattr(call, "__wrapped__"):
        return False
    given = (*(call.__defaults__ or ()), *(call.__kwdefaults__ or {}).values())
    # Annotations are text that is read in the module; one that is not might mean another thing in each application.
    return all(isinstance(one, _PLAIN) for one in given) and all(
        isinstance(one, str) for one in call.__annotations__.values()
    )


def _fields(usual: Callable[..., Any]) -> Callable[..., Any]:
    known: dict[object, Any] = {}

    def create_model_field(name: str, type_: Any, **how: Any) -> Any:
        key = (name, type_, repr(how))
        try:
            found = known.get(key)
        except TypeError:  # a type that cannot be a key
            return usual(name=name, type_=type_, **how)
        if found is None:
            found = known[key] = usual(name=name, type_=type_, **how)
        return found

    return create_model_field


def _returns(usual: Callable[..., Any]) -> Callable[..., Any]:
    known: dict[object, Any] = {}

    def get_typed_return_annotation(call: Any) -> Any:
        if not _is_plain(call):
            return usual(call)
        if call.__code__ not in known:
            known[call.__code__] = usual(call)
        return known[call.__code__]

    return get_typed_return_annotation
