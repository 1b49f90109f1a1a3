"""
How the data gets over: the five steps, what all ways share, and a folder for each way.

Outside of a way's own folder nothing asks which way it is.
"""
