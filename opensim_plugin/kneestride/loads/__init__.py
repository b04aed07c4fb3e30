"""What it cost: ground reaction, muscles, knee compartments, tissues, uncertainty."""
