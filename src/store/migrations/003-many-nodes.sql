-- A hash of the channel, 0 to 63, by which due work is found. Steps that were made before stay in shard 0: the shard says
-- only where to look, nobody looks in fewer than all, and no step lives for long.
ALTER TABLE flow_step ADD COLUMN shard INTEGER NOT NULL DEFAULT 0;
DROP INDEX flow_step_due;
CREATE INDEX flow_step_due ON flow_step (shard, due_at) WHERE state IN ('DISPATCHING', 'AWAITING');

-- What a node that is gone had in hand.
CREATE INDEX flow_step_by_owner ON flow_step (owner) WHERE state IN ('DISPATCHING', 'AWAITING');

-- The nodes that share this store, each with the time until which nobody takes over what it has in hand.
CREATE TABLE node (
  node_id TEXT PRIMARY KEY,
  alive_until BIGINT NOT NULL
);
