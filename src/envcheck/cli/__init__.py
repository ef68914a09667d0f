"""The command line: arguments into a call of the library, and an exit code; a module a command."""
