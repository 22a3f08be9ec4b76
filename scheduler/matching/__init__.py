"""The matching engine: a problem in, a plan out. Pure."""
