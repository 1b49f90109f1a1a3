"""Names that come to mean something else, at every moment of a changeover, and what a person types after that."""
