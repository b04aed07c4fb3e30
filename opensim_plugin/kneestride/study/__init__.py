"""A study: many people and trials from one file, to tables that statistics can read."""
