"""What a maintainer needs for a release: locks, licences, an audit, the notes. Nothing here is installed."""
