"""
A local Heroku: both APIs on one origin, a router, dynos that are processes, databases that are PostgreSQL servers.

It belongs to the tests and shares no code with the client, so that one misreading of Heroku cannot hide in both. It
listens on loopback only, and an unknown route answers 501.
"""
