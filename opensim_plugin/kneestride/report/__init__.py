"""Report pages written from a results folder."""
