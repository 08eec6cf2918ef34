"""The schema's version: bringing a database up to date by Alembic's migrations, once, whoever comes first."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine

from connector.errors import ConfigError
from connector.store import concerns
from connector.text import Text

# Any number will do that no other program takes for its own lock.
_LOCK = 4_741_302_656


def configuration() -> Config:
    """Alembic's configuration: where the migrations are."""
    made = Config()
    made.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    return made


@cache
def head() -> str:
    """The newest version that this program knows."""
    found = ScriptDirectory.from_config(configuration()).get_current_head()
    assert found is not None, "there is at least one migration"
    return found


def is_current(engine: Engine) -> bool:
    """Whether the database can be reached and has this program's schema."""
    with engine.connect() as looking:
        return _version(looking) == head()


def upgrade(engine: Engine, to: str = "head") -> None:
    """Brings the database to a version, in one transaction; nothing happens where it is there already.

    Raises ConfigError where the database is newer than this program.
    """
    with engine.connect() as looking:
        if _version(looking) == (head() if to == "head" else to):
            return
    with engine.connect() as connection:
        connection = connection.execution_options(holdfast_writing=True)
        with connection.begin():
            if connection.dialect.name == "postgresql":
                connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_LOCK})")
            here = _version(connection)
            script = ScriptDirectory.from_config(configuration())
            if here and here not in {r.revision for r in script.walk_revisions()}:
                raise ConfigError(
                    Text(
                        "The database was made by a newer Holdfast (its schema is {version}). Install that one.",
                        "该数据库由更新版本的 Holdfast 创建（结构版本 {version}）。请安装相应版本。",
                    ).fill(version=here)
                )
            alembic = configuration()
            alembic.attributes["connection"] = connection
            command.upgrade(alembic, to)
            if to == "head":
                concerns.note(connection, None)


def _version(connection: Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()
