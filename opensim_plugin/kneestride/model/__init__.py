"""The only room that touches OpenSim's model classes."""
