-- Take the next number of a counter of names, at least the one wished for.
INSERT INTO file_counter (user_id, folder, subfolder, prefix, suffix, last)
VALUES (:user_id, :folder, :subfolder, :prefix, :suffix, :at_least)
ON CONFLICT (user_id, folder, subfolder, prefix, suffix)
    DO UPDATE SET last = greatest(file_counter.last + 1, excluded.last) RETURNING last;
