"""From doctrees to programs: collecting them, downloads, stamps and test runs."""
