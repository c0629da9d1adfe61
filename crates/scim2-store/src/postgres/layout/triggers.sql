-- Keeps the audit log append-only. Run after the last step, and by a repair.
CREATE OR REPLACE FUNCTION audit_keeps_rows() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION 'the audit log is append-only'; END $$;
DROP TRIGGER IF EXISTS audit_keeps_rows ON audit;
CREATE TRIGGER audit_keeps_rows BEFORE UPDATE OR DELETE OR TRUNCATE ON audit
FOR EACH STATEMENT EXECUTE FUNCTION audit_keeps_rows();
DROP TRIGGER IF EXISTS audit_keeps_waiting ON audit_waiting;
CREATE TRIGGER audit_keeps_waiting BEFORE UPDATE OR TRUNCATE ON audit_waiting
FOR EACH STATEMENT EXECUTE FUNCTION audit_keeps_rows();
