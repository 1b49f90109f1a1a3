"""The whole way of a changeover, shown: a local Heroku, orders that keep coming, and the commands a user types."""
