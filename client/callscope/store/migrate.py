"""The tables brought to this version's form, and refused where they are of another."""

from __future__ import annotations

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, inspect, text

from callscope.errors import StoreMismatch
from callscope.store.engine import name_of

LOCK = 0x63616C6C
"""The number of PostgreSQL's advisory lock under which one process at a time changes the tables."""


def upgrade(engine: Engine) -> str:
    """Bring the tables to the newest form; give the revision they have then.

    Raises:
        StoreMismatch: they are from a newer Callscope.
    """
    with engine.execution_options(begin="IMMEDIATE").begin() as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": LOCK})
        _require_known(connection)
        command.upgrade(_config(connection), "head")
    return newest()


def prepare(engine: Engine) -> None:
    """Make the tables where there are none, and see that they are this version's where there are some.

    Raises:
        StoreMismatch: they are from an older or a newer Callscope.
    """
    with engine.connect() as connection:
        found = revision(connection)
        if found is not None:
            _require_known(connection)
            if found != newest():
                raise StoreMismatch(
                    f"The database {_name(connection)} is from an older Callscope (revision {found}). "
                    "Bring it up to date with `callscope db upgrade`."
                )
            return
    upgrade(engine)


def revision(connection: Connection) -> str | None:
    """The revision of the tables; None where there are none."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    return MigrationContext.configure(connection).get_current_revision()


def newest() -> str:
    """The revision that this version of Callscope writes."""
    return str(_scripts().get_current_head())


def _require_known(connection: Connection) -> None:
    found = revision(connection)
    if found is not None and found not in {script.revision for script in _scripts().walk_revisions()}:
        raise StoreMismatch(
            f"The database {_name(connection)} is from a newer Callscope (revision {found}). "
            "Update Callscope, or name another database."
        )


def _name(connection: Connection) -> str:
    return name_of(connection.engine.url)


def _scripts() -> ScriptDirectory:
    return ScriptDirectory.from_config(_config(None))


def _config(connection: Connection | None) -> Config:
    config = Config()
    config.set_main_option("script_location", "callscope.store:migrations")
    config.attributes["connection"] = connection
    return config
