"""For a release: locks, licences, an audit, the bill of materials, the notes."""
