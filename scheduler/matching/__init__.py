"""The matching engine: a problem in, a plan out. Pure; docs/matching.md explains it."""
