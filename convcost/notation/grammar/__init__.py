"""Text to tokens to the syntax tree. What is written, not yet what it means."""
