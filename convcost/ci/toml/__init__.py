"""TOML files with the place of everything in them, for the mistakes that people make."""
