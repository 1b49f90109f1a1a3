"""How long the parts of a fence may take."""

LOCK_LIMIT = 30
"""Seconds for the fence to get its locks."""

SEAL_LIMIT = 15
"""Seconds for the sessions from before the seal to end."""
