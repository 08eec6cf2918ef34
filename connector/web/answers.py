"""What the API answers, as models: they are its OpenAPI document, and no answer leaves that is not of this form.

Amounts are decimal strings with their currency's own number of decimals, sentences are there in both languages. Keys may be
added, never renamed.
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

Amount = Annotated[str, Field(pattern=r"^-?[0-9]+(\.[0-9]+)?$", examples=["1234.50"])]
Currency = Annotated[str, Field(pattern=r"^[A-Z]{3}$", examples=["CNY"])]
Day = Annotated[str, Field(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$", examples=["2026-11-23"])]


class Answer(BaseModel):
    """A part of an answer."""

    model_config = ConfigDict(extra="forbid")


class Open(BaseModel):
    """A part of an answer that may carry more keys than are named here."""

    model_config = ConfigDict(extra="allow")


class Words(Answer):
    """A sentence in both languages."""

    en: str
    zh: str


class WrongField(Answer):
    """One field that is not usable."""

    field: str
    what: str


class Problem(Answer):
    """What is wrong (RFC 9457): `code` is for programs, `detail` for people, in the language that was asked for."""

    type: str
    title: str
    status: int
    code: str
    detail: str
    fields: list[WrongField] | None = None


class Reason(Answer):
    """Why something is held, released in spite of, or to be noted."""

    rule: str
    en: str
    zh: str
    numbers: dict[str, Any]
    documents: list[str]
