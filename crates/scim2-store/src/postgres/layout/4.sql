-- Which key the hashes of a tenant's audit log are made with, from row `seq` on. An empty `id` means plain SHA-256,
-- as before this layout. `\x00` means the database's own key, which is also used where there is no row here.
-- Anything else identifies a key outside of the database.
CREATE TABLE audit_key (
    tenant bigint NOT NULL,
    seq bigint NOT NULL,
    id bytea NOT NULL,
    PRIMARY KEY (tenant, seq)
);
-- The lock waits for a node that adds rows to a chain, so that none of them is hashed in the old way after this.
LOCK TABLE audit_end IN EXCLUSIVE MODE;
INSERT INTO audit_key (tenant, seq, id) SELECT tenant, 1, '\x' FROM audit_end WHERE seq > 0;
INSERT INTO audit_key (tenant, seq, id) SELECT tenant, seq + 1, '\x00' FROM audit_end WHERE seq > 0;
-- The last row of each log under another name: a node of before, which knows no keys, writes no more.
ALTER TABLE audit_end RENAME TO audit_last;
-- The key of that row, so that who locks it knows the key too.
ALTER TABLE audit_last ADD COLUMN key bytea NOT NULL DEFAULT '\x00';
INSERT INTO secret (name, value)
VALUES ('audit', sha256(convert_to(gen_random_uuid()::text || gen_random_uuid()::text, 'UTF8')));
