"""Site directories into distributions, owners and per-file verification: `inventory.Installed` is the way in."""
