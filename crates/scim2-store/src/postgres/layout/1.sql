-- Numbers that stand for names, so that rows and keys are short.
CREATE TABLE tenant (
    number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text COLLATE "C" NOT NULL UNIQUE
);
-- `generation` moves when the indexed paths of the type change: a node that knows older ones does not write.
CREATE TABLE type (
    number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text COLLATE "C" NOT NULL UNIQUE,
    generation bigint NOT NULL DEFAULT 0
);
-- An indexed attribute; `kind` says how its keys are made, and whether they are unique.
CREATE TABLE path (
    number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    type bigint NOT NULL REFERENCES type (number),
    path text COLLATE "C" NOT NULL,
    kind text COLLATE "C" NOT NULL,
    UNIQUE (type, path)
);

-- Times are milliseconds since 1970. `display` is bytes because a text of PostgreSQL holds no NUL; in `hidden`
-- and `body`, which are JSON, it is written `\u0000`.
CREATE TABLE resource (
    tenant bigint NOT NULL,
    pk bigint GENERATED ALWAYS AS IDENTITY,
    type bigint NOT NULL,
    id text COLLATE "C" NOT NULL,
    version bigint NOT NULL,
    created bigint NOT NULL,
    modified bigint NOT NULL,
    display bytea,
    hidden text,
    body text NOT NULL,
    PRIMARY KEY (tenant, pk),
    UNIQUE (tenant, type, id)
);

-- `path` implies the type. `uniq` says that no other resource may have the value.
CREATE TABLE attribute (
    tenant bigint NOT NULL,
    path bigint NOT NULL,
    value bytea NOT NULL,
    pk bigint NOT NULL,
    element bigint NOT NULL,
    uniq boolean NOT NULL,
    PRIMARY KEY (tenant, path, value, pk, element)
);
CREATE UNIQUE INDEX attribute_unique ON attribute (tenant, path, value) WHERE uniq;

-- `added` is the time, or just after the last one's: it orders the members of a group.
CREATE TABLE member (
    tenant bigint NOT NULL,
    group_pk bigint NOT NULL,
    added bigint NOT NULL,
    member_pk bigint NOT NULL,
    display bytea,
    PRIMARY KEY (tenant, group_pk, added, member_pk)
);
CREATE UNIQUE INDEX member_of ON member (tenant, member_pk, group_pk);

CREATE TABLE token (
    tenant bigint NOT NULL REFERENCES tenant (number),
    id text COLLATE "C" NOT NULL,
    hash bytea NOT NULL,
    name text COLLATE "C" NOT NULL,
    access text COLLATE "C" NOT NULL,
    created bigint NOT NULL,
    expires bigint,
    revoked bigint,
    last_used bigint,
    PRIMARY KEY (tenant, id)
);
-- Who presents a token does not say whose it is. Not unique, as unique keys begin with the tenant.
CREATE INDEX token_by_hash ON token (hash);

-- Each row's hash covers the row and the hash of the one before it in the tenant, which is kept here.
CREATE TABLE audit_head (
    tenant bigint PRIMARY KEY,
    seq bigint NOT NULL,
    hash bytea NOT NULL
);
CREATE TABLE audit (
    tenant bigint NOT NULL,
    seq bigint NOT NULL,
    at bigint NOT NULL,
    actor text COLLATE "C" NOT NULL,
    request text COLLATE "C" NOT NULL,
    action text COLLATE "C" NOT NULL,
    resource_type text COLLATE "C" NOT NULL,
    resource_id text COLLATE "C" NOT NULL,
    version text COLLATE "C" NOT NULL,
    changed text COLLATE "C" NOT NULL,
    hash bytea NOT NULL,
    PRIMARY KEY (tenant, seq)
);

-- What the service provider signs with, the same on every node.
CREATE TABLE secret (
    name text COLLATE "C" PRIMARY KEY,
    value bytea NOT NULL
);
-- Of two random UUIDs, 244 bits of randomness.
INSERT INTO secret (name, value)
VALUES ('cursor', sha256(convert_to(gen_random_uuid()::text || gen_random_uuid()::text, 'UTF8')));
