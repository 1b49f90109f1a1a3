"""
The way `follow`: a follower on the wanted plan catches up, is cut off from its leader, and takes its place.
"""
