"""A recording as named arrays with rates and units; knows no model."""
