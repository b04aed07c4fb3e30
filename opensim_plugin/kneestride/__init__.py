"""kneestride: from a captured stride to medial and lateral knee loads."""

__version__ = "0.1.0"
