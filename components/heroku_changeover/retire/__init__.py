"""
The end of an old database: the guard that proves that it is to go and may go, and the one place that deletes it.

It knows no window and no way.
"""
