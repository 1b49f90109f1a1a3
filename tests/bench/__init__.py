"""`make bench`: the outage of each way to change a plan, side by side in one run."""
