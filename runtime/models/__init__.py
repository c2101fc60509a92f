"""Models: a registry of what can be had, a resolver that fetches and verifies it, and one interface that runs it."""
