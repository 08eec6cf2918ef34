"""Recipients: who is behind a user id of a system or a name in config.toml, in which language and where he is reached."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from connector.config import Config
from connector.config_mail import is_address
from connector.config_people import PersonSettings, named
from connector.model import Person as User
from connector.text import Language


@dataclass(frozen=True, slots=True)
class Recipient:
    """Somebody who can be told. `key` is his id in config.toml, or `system/user` where he is not there; `users` are his
    user ids by system; `address` None: no mail reaches him."""

    key: str
    name: str
    language: Language
    address: str | None = None
    users: tuple[tuple[str, str], ...] = ()

    def user(self, system: str) -> str | None:
        """His user id in a system."""
        return next((user for name, user in self.users if name == system), None)


class Directory:
    """Everybody of config.toml and everybody whom the systems call their users."""

    def __init__(self, config: Config, users: Mapping[str, Sequence[User]]) -> None:
        self._config = config
        self._by_id = {(system, one.id): one for system, some in users.items() for one in some}
        self._by_email: dict[str, list[tuple[str, User]]] = {}
        for (system, _), one in self._by_id.items():
            if one.email:
                self._by_email.setdefault(one.email.casefold(), []).append((system, one))

    def person(self, settings: PersonSettings) -> Recipient:
        """One of the people of config.toml."""
        users = dict(settings.ids)
        for system, one in self._by_email.get((settings.email or "").casefold(), ()):
            if one.active:
                users.setdefault(system, one.id)
        address = settings.email if settings.email and is_address(settings.email) else None
        language = settings.language or self._config.business.language
        return Recipient(settings.id, settings.name or settings.id, language, address, tuple(users.items()))

    def user(self, system: str, user: str) -> Recipient | None:
        """Whoever is a user of a system; None where he has left."""
        known = self._by_id.get((system, user))
        for settings in self._config.people:
            if settings.person.is_user(system, user):
                return self.person(settings)
            if known is not None and known.email and settings.person.is_user(system, known.email):
                return self.person(settings)
        if known is not None and not known.active:
            return None
        email = known.email if known is not None else user if "@" in user else None
        users = {system: user}
        for other, one in self._by_email.get((email or "").casefold(), ()):
            if one.active:
                users.setdefault(other, one.id)
        at = next((s for s in self._config.systems if s.name == system), None)
        language = self._config.language_for(at) if at is not None else self._config.business.language
        name = known.name if known is not None else user
        address = email if email and is_address(email) else None
        return Recipient(f"{system}/{user}", name, language, address, tuple(users.items()))

    def actor(self, actor: str) -> Recipient | None:
        """Whoever an entry of the audit trail names; None where it is no person who can be told."""
        kind, _, name = actor.partition(":")
        if kind != "person":
            return None
        found = named(self._config.people, name)
        if found is not None:
            return self.person(next(p for p in self._config.people if p.id == found.id))
        system, slash, user = name.partition("/")
        return self.user(system, user) if slash else None
