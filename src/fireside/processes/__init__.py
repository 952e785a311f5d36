"""Child processes: started, watched, ended; none outlives its parent. And how a large one looks for garbage."""
