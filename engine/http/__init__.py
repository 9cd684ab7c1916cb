"""The one door to the network. Read ``door`` first; each other file is one thing the door does on the way."""
