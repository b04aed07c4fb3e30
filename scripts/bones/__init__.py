"""The project's own skeleton: bones modelled from distance fields, in the model's frames."""
