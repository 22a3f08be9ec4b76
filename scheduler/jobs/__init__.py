"""The loop: what is done again and again, and what does it."""
