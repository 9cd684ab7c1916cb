"""From test mode to production: computed checks, going live and back, and telling the real database from a copy."""
