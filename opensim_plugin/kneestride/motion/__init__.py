"""What the body did: kinematics, events, strides, alignment."""
