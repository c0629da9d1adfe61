-- What was done and has no place in the tenant's log yet: written by the transaction that did it, moved behind
-- `audit` soon after. `resources` is how many more there are of the type since.
CREATE TABLE audit_waiting (
    tenant bigint NOT NULL,
    number bigint GENERATED ALWAYS AS IDENTITY,
    type bigint,
    resources bigint NOT NULL,
    at bigint NOT NULL,
    actor text COLLATE "C" NOT NULL,
    request text COLLATE "C" NOT NULL,
    action text COLLATE "C" NOT NULL,
    resource_type text COLLATE "C" NOT NULL,
    resource_id text COLLATE "C" NOT NULL,
    version text COLLATE "C" NOT NULL,
    changed text COLLATE "C" NOT NULL,
    PRIMARY KEY (tenant, number)
);

-- The last row of each log under another name: a node of before, which knows nothing of all this, writes no more.
ALTER TABLE audit_head RENAME TO audit_end;

-- How many resources there are, but for what waits: who moves that counts it.
CREATE TABLE tally (
    tenant bigint NOT NULL,
    type bigint NOT NULL,
    resources bigint NOT NULL,
    PRIMARY KEY (tenant, type)
);
INSERT INTO tally (tenant, type, resources) SELECT tenant, type, count(*) FROM resource GROUP BY tenant, type;
