"""Both sides compared: each difference explained, and repaired when a person says so. Read ``reconciler``."""
