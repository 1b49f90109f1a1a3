"""Heroku's own command line program against the local Heroku: the witness for what the tests build on."""
