-- Groups that were deleted and whose members are being taken away, some at a time.
CREATE TABLE gone (tenant bigint NOT NULL, pk bigint NOT NULL, PRIMARY KEY (tenant, pk));
