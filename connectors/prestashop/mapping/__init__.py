"""Pure functions from the webservice's rows to canonical records: every input gives a record or a ``RecordProblem``."""
