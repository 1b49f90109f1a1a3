"""
An app, down for the window and up again: its service, its attachments, and a keeper that watches meanwhile.

How the data gets over is not known here.
"""
