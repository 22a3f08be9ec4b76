"""The rules of the trade. Standard library only: no clock, no database, no text."""
