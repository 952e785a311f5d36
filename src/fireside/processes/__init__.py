"""Child processes: started, watched, ended; none outlives its parent."""
