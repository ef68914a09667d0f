"""Facts into findings: a module a family, a check a function with its own metadata; ``registry`` lists them."""
