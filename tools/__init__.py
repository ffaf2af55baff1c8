"""For maintainers, not installed: writers of documentation, the audit of networks, the stages' code, releases."""
