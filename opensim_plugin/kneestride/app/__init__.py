"""The desktop application (PyQt5)."""
