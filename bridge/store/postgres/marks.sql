-- Each bridge on a store has a mark of its own, and one of them led last.

CREATE TABLE mark (
    name words PRIMARY KEY,
    dispatches bigint NOT NULL,
    inode bigint NOT NULL,
    changed_ns bigint
);

INSERT INTO mark SELECT incarnation, mark_dispatches, mark_inode, mark_changed_ns FROM lineage;

ALTER TABLE lineage DROP COLUMN mark_dispatches, DROP COLUMN mark_inode,
    DROP COLUMN mark_changed_ns,
    ADD COLUMN leader words NOT NULL DEFAULT '', ADD COLUMN origin words NOT NULL DEFAULT '';

UPDATE lineage SET leader = incarnation;
