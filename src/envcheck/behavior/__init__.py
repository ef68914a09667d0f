"""The bytes of startup code into an account of what it would do. Nothing is executed, imported or unmarshalled."""
