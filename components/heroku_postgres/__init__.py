"""A Pulumi component: change the plan of a Heroku Postgres database by changing one line of stack config."""

from heroku_postgres.arguments import DatabaseArgs
from heroku_postgres.database import Database

__all__ = ["Database", "DatabaseArgs"]
