"""The shipped mapping of each adapter, as TOML beside this file."""
