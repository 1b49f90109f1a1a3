"""
The way `follow`: a follower on the wanted plan catches up, is cut off from its leader, and takes its place.

It knows the interface that it has, and neither the steps, nor a proof, nor another way.
"""
