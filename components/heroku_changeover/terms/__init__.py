"""
The words: facts, errors, acts, the order, the window. Nothing here asks Heroku, speaks SQL or waits.

Of what is installed beside Python it imports nothing, so that every process starts fast.
"""
