"""
What touches the world: Heroku's APIs, PostgreSQL, time, files and processes of this machine.

It decides nothing: what is asked or changed, and why, is said by the rooms above.
"""
