-- Which key the hashes of a tenant's audit log are made with, from row `seq` on. An empty `id` means plain SHA-256,
-- as before this layout. `x'00'` means the database's own key, which is also used where there is no row here.
-- Anything else identifies a key outside of the database.
CREATE TABLE audit_key (
    tenant INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    id BLOB NOT NULL,
    PRIMARY KEY (tenant, seq)
) STRICT, WITHOUT ROWID;
INSERT INTO audit_key (tenant, seq, id) SELECT tenant, 1, x'' FROM audit GROUP BY tenant;
INSERT INTO audit_key (tenant, seq, id) SELECT tenant, max(seq) + 1, x'00' FROM audit GROUP BY tenant;
INSERT INTO secret (name, value) VALUES ('audit', randomblob(32));
