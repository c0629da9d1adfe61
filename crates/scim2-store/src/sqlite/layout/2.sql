-- Groups that were deleted and whose members are being taken away, some at a time. No other resource
-- gets the number of one of them meanwhile.
CREATE TABLE gone (pk INTEGER PRIMARY KEY, tenant INTEGER NOT NULL) STRICT;
