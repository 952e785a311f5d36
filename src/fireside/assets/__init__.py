"""Users' files: named records over blobs, and the care with which strangers' pictures are opened."""
