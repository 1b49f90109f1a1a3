"""
What acts on Heroku and PostgreSQL: the look, the five steps, the keeper, the guard.

It never imports Pulumi, because every step is a process of its own and its start is part of the outage.

Nothing is imported here for the same reason: import the module that is needed.
"""
