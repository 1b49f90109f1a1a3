"""
PostgreSQL over SQL: sessions, the fence, the barrier, the seal.

It asks nothing of Heroku; only here the driver is imported, which takes 0.3 s.
"""

import os

os.environ.pop("PSYCOPG_IMPL", None)  # else the driver may take another libpq than the one that came with it
