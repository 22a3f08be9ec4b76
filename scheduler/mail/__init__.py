"""Mail: what was recorded becomes a letter, and a letter goes out."""
