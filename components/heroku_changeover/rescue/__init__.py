"""
Closing a window that no run closes any more: the keeper, a person with `recover`, and what `status` shows them.

It has no rules of its own: it finishes with the steps, or puts the apps back as they do.
"""
