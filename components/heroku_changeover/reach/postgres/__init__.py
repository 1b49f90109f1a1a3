"""
PostgreSQL over SQL: sessions, the fence, the barrier, the seal. Only here the driver is imported, which takes 0.3 s.
"""
