"""The documentation does what it says: its commands run, its configs load, its links lead somewhere."""
