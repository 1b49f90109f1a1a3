"""
How the data gets over: the five steps, what all ways share, and a folder for each way. No way knows another one.
"""
