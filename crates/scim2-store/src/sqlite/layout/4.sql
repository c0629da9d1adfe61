-- The writing thread is the only one that adds unique values, and looks for each of them first, by the primary key.
DROP INDEX attribute_unique;

-- Tables and triggers under names that say what they are for.
ALTER TABLE gone RENAME TO pending_deletion;
DROP TRIGGER tally_counts_up;
DROP TRIGGER tally_counts_down;
ALTER TABLE tally RENAME TO resource_count;
CREATE TRIGGER resource_count_up AFTER INSERT ON resource
BEGIN
    INSERT INTO resource_count (tenant, type, resources) VALUES (new.tenant, new.type, 1)
    ON CONFLICT DO UPDATE SET resources = resources + 1;
END;
CREATE TRIGGER resource_count_down AFTER DELETE ON resource
BEGIN
    UPDATE resource_count SET resources = resources - 1 WHERE tenant = old.tenant AND type = old.type;
END;
