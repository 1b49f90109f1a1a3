"""
What acts on Heroku and PostgreSQL during a follower changeover: the look, the five steps, the fence, the guard.

This package never imports Pulumi, because every step is a process of its own and its start is part of the outage.
Nothing is imported here for the same reason: import the module that is needed.
"""
