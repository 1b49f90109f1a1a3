"""
A Pulumi component: change the plan of a Heroku Postgres database by changing one line of stack config.

It declares and says, and changes nothing on Heroku; of Heroku's APIs it knows the look alone.
"""

from heroku_postgres.arguments import DatabaseArgs
from heroku_postgres.database import Database

__all__ = ["Database", "DatabaseArgs"]
