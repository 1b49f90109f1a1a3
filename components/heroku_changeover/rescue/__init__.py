"""
Closing a window that no run closes any more: the keeper, a person with `recover`, and what `status` shows them.
"""
