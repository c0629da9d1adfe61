-- Tables under names that say what they are for.
ALTER TABLE gone RENAME TO pending_deletion;
ALTER TABLE tally RENAME TO resource_count;
ALTER INDEX gone_pkey RENAME TO pending_deletion_pkey;
ALTER INDEX tally_pkey RENAME TO resource_count_pkey;
