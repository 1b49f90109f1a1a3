"""What the engine starts."""

from heroku_postgres.plugin import main

main()
