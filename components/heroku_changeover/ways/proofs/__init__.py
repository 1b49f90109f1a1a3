"""
How it is made sure that nothing is lost: behind a fence, or by Heroku's own figure where SQL cannot reach.

Neither knows which way the data goes.
"""
