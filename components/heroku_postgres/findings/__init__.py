"""
Everything a reviewer has to know before a run, by subject: errors, which fail the preview, and warnings.

They are read from facts only; whether one is due, where that takes a decision, is decided outside.

Each finding has a stable id, what was found, why it matters and what to do.
"""
