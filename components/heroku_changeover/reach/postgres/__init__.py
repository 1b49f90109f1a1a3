"""
PostgreSQL over SQL: sessions, the fence, the barrier, the seal.

It asks nothing of Heroku; only here the driver is imported, which takes 0.3 s.
"""
