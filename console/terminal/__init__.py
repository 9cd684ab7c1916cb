"""The commands of the command line, a file for each noun. Each file is loaded only when its command is used."""
