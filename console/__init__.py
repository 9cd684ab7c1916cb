"""What people see: the command line's commands, pages and the HTTP API. Asks actions, shows what storage tells."""
