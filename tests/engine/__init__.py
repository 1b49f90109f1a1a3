"""The product on the real engine: what a user types, and what a stack holds afterwards."""
