"""The stored bytes of a chunk; FORMAT.md is their specification."""
