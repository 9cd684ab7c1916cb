"""Speaks the webservice's dialect; knows nothing canonical."""
