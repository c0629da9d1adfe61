-- Numbers that stand for names, so that rows and keys are short.
CREATE TABLE schema_version (version INTEGER PRIMARY KEY, applied INTEGER NOT NULL) STRICT;
CREATE TABLE tenant (number INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT;
CREATE TABLE type (number INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT;
-- An indexed attribute; `kind` says how its keys are made, and whether they are unique.
CREATE TABLE path (
    number INTEGER PRIMARY KEY,
    type INTEGER NOT NULL REFERENCES type (number),
    path TEXT NOT NULL,
    kind TEXT NOT NULL,
    UNIQUE (type, path)
) STRICT;

-- Times are milliseconds since 1970. What is short stands before the body, which may overflow.
CREATE TABLE resource (
    pk INTEGER PRIMARY KEY,
    tenant INTEGER NOT NULL,
    type INTEGER NOT NULL,
    id TEXT NOT NULL,
    version INTEGER NOT NULL,
    created INTEGER NOT NULL,
    modified INTEGER NOT NULL,
    display TEXT,
    hidden TEXT,
    body TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX resource_by_id ON resource (tenant, type, id);

-- How many resources there are, so that a list need not count them.
CREATE TABLE tally (
    tenant INTEGER NOT NULL,
    type INTEGER NOT NULL,
    resources INTEGER NOT NULL,
    PRIMARY KEY (tenant, type)
) STRICT, WITHOUT ROWID;
CREATE TRIGGER tally_counts_up AFTER INSERT ON resource
BEGIN
    INSERT INTO tally (tenant, type, resources) VALUES (new.tenant, new.type, 1)
    ON CONFLICT DO UPDATE SET resources = resources + 1;
END;
CREATE TRIGGER tally_counts_down AFTER DELETE ON resource
BEGIN
    UPDATE tally SET resources = resources - 1 WHERE tenant = old.tenant AND type = old.type;
END;

-- `path` implies the type. `uniq` is 1 where no other resource may have the value, else null.
CREATE TABLE attribute (
    tenant INTEGER NOT NULL,
    path INTEGER NOT NULL,
    value BLOB NOT NULL,
    pk INTEGER NOT NULL,
    element INTEGER NOT NULL,
    uniq INTEGER,
    PRIMARY KEY (tenant, path, value, pk, element)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX attribute_unique ON attribute (tenant, path, value) WHERE uniq = 1;

-- `added` is the time, or just after the last one's: it orders the members of a group.
CREATE TABLE member (
    tenant INTEGER NOT NULL,
    group_pk INTEGER NOT NULL,
    added INTEGER NOT NULL,
    member_pk INTEGER NOT NULL,
    display TEXT,
    PRIMARY KEY (tenant, group_pk, added, member_pk)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX member_of ON member (tenant, member_pk, group_pk);

-- A token names its tenant, so its hash alone is the key.
CREATE TABLE token (
    hash BLOB PRIMARY KEY,
    id TEXT NOT NULL,
    tenant INTEGER NOT NULL REFERENCES tenant (number),
    name TEXT NOT NULL,
    access TEXT NOT NULL,
    created INTEGER NOT NULL,
    expires INTEGER,
    revoked INTEGER,
    last_used INTEGER
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX token_by_id ON token (tenant, id);

-- Each row's hash covers the row and the hash of the one before it in the tenant.
CREATE TABLE audit (
    tenant INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    at INTEGER NOT NULL,
    actor TEXT NOT NULL,
    request TEXT NOT NULL,
    action TEXT NOT NULL,
    resource_type TEXT NOT NULL,
    resource_id TEXT NOT NULL,
    version TEXT NOT NULL,
    changed TEXT NOT NULL,
    hash BLOB NOT NULL,
    PRIMARY KEY (tenant, seq)
) STRICT, WITHOUT ROWID;
CREATE TRIGGER audit_keeps_rows BEFORE UPDATE ON audit
BEGIN SELECT raise(ABORT, 'the audit log is append-only'); END;
CREATE TRIGGER audit_loses_no_rows BEFORE DELETE ON audit
BEGIN SELECT raise(ABORT, 'the audit log is append-only'); END;

-- What the service provider signs with. Whoever copies the file copies the key.
CREATE TABLE secret (name TEXT PRIMARY KEY, value BLOB NOT NULL) STRICT, WITHOUT ROWID;
INSERT INTO secret (name, value) VALUES ('cursor', randomblob(32));
