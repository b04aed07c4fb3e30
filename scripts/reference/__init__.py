"""Steps of `build_reference_runner.py`: what only the building of the figures needs."""
