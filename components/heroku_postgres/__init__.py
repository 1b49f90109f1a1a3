"""A Pulumi component: change the plan of a Heroku Postgres database by changing one line of stack config."""

import gc

from heroku_postgres.database import Database, DatabaseArgs

__all__ = ["Database", "DatabaseArgs"]

gc.freeze()
"""
The modules that a program has loaded by now, most of them Pulumi's, live as long as it does. The collector walks over
all of them several times when the program ends, which takes a third as long as the look at Heroku; now it does not.
"""
