"""What if the knee went in, out, or the foot crossed over."""
