-- Since when a side, or everybody, is gone from an active visit: what the timers G1 to G3 count from.
ALTER TABLE virtual_meetings ADD COLUMN host_absent_since timestamptz;
ALTER TABLE virtual_meetings ADD COLUMN guest_absent_since timestamptz;
ALTER TABLE virtual_meetings ADD COLUMN empty_since timestamptz;
