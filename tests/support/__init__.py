"""What the black-box tests share: interpreters, wheels, environments, and the command itself."""
