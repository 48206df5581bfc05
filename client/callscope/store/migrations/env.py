"""Run by alembic: the migrations in `versions`, on the connection that `migrate.py` opened."""

from alembic import context

context.configure(connection=context.config.attributes["connection"], transaction_per_migration=False)
context.run_migrations()
