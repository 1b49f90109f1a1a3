"""
An app, down for the window and up again: its service, its attachments, and the start of a keeper.

How the data gets over is not known here.
"""
