"""The results folder, the one contract with everything after it."""
