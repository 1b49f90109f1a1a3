"""A Pulumi component: change the plan of a Heroku Postgres database by changing one line of stack config."""

from heroku_postgres.database import Database, DatabaseArgs

__all__ = ["Database", "DatabaseArgs"]
