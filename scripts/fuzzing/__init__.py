"""Broken inputs for every reader: seeds, mutators, and the campaign that feeds them."""
