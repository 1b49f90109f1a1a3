"""A shell in which everything is ready: a local Heroku with an app, the Pulumi engine, a stack. Nothing leaves it."""
