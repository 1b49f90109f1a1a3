"""
The words: facts, errors, acts, moments, the order, the window, the report.

Nothing here asks Heroku, speaks SQL or waits; of what is installed beside Python it imports nothing.

So every process starts fast, and whoever watches a changeover from outside may import these words.
"""
