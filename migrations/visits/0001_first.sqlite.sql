-- The tables of the first slice (visit-api.md 2.1, translated by 2.2); later slices add theirs.
CREATE TABLE organizations (id TEXT PRIMARY KEY, name TEXT NOT NULL CHECK (length(name) BETWEEN 1 AND 200), demo INTEGER NOT NULL DEFAULT 0 CHECK (demo IN (0,1)), settings TEXT NOT NULL DEFAULT '{}' CHECK (json_valid(settings)),
 fhir_system_base TEXT NOT NULL, row_version INTEGER NOT NULL DEFAULT 1, created_at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ','now')), updated_at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ','now')));
CREATE TABLE integration_vendors (id TEXT PRIMARY KEY, name TEXT NOT NULL, category TEXT NOT NULL CHECK (category IN ('telehealth','ehr')), description TEXT, documentation TEXT, featured INTEGER NOT NULL DEFAULT 0 CHECK (featured IN (0,1)),
 active INTEGER NOT NULL DEFAULT 1 CHECK (active IN (0,1)), sort_order INTEGER NOT NULL DEFAULT 0);
CREATE TABLE integrations (id TEXT PRIMARY KEY, org_id TEXT NOT NULL REFERENCES organizations(id), vendor_id TEXT NOT NULL REFERENCES integration_vendors(id), enabled INTEGER NOT NULL DEFAULT 0 CHECK (enabled IN (0,1)),
 environment TEXT NOT NULL DEFAULT 'sandbox' CHECK (environment IN ('sandbox','production')), priority INTEGER NOT NULL DEFAULT 100 CHECK (priority BETWEEN 0 AND 1000),
 credentials TEXT NOT NULL DEFAULT '{}' CHECK (json_valid(credentials)) CHECK (json_type(credentials) = 'object'), usage_mappings TEXT NOT NULL DEFAULT '[]' CHECK (json_valid(usage_mappings)),
 health_status TEXT NOT NULL DEFAULT 'inactive' CHECK (health_status IN ('active','inactive','testing','error')), last_tested_at TEXT, last_error TEXT, row_version INTEGER NOT NULL DEFAULT 1, created_by TEXT, updated_by TEXT,
 created_at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ','now')), updated_at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ','now')), UNIQUE (org_id, vendor_id, environment), UNIQUE (org_id, id));
CREATE TABLE integration_activity_log (id INTEGER PRIMARY KEY AUTOINCREMENT, org_id TEXT NOT NULL, integration_id TEXT NOT NULL,
 activity_type TEXT NOT NULL CHECK (activity_type IN ('created','updated','deleted','enabled','disabled','tested','error','webhook_received','operation_executed','failed_over','reencrypted')),
 status TEXT NOT NULL CHECK (status IN ('success','error')), details TEXT NOT NULL DEFAULT '{}' CHECK (json_valid(details)), error_code TEXT, actor TEXT NOT NULL, created_at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ','now')));
CREATE TABLE integration_checks (id TEXT PRIMARY KEY, org_id TEXT NOT NULL, integration_id TEXT NOT NULL, origin TEXT NOT NULL CHECK (origin IN ('api','cli','wizard','schedule')),
 started_at TEXT NOT NULL, finished_at TEXT, outcome TEXT CHECK (outcome IN ('pass','warn','fail','aborted')), checks TEXT NOT NULL DEFAULT '[]' CHECK (json_valid(checks)), FOREIGN KEY (org_id, integration_id) REFERENCES integrations(org_id,
 id) ON DELETE CASCADE);
CREATE UNIQUE INDEX integration_checks_running ON integration_checks (integration_id) WHERE finished_at IS NULL;
CREATE TABLE virtual_meetings (id TEXT PRIMARY KEY, org_id TEXT NOT NULL REFERENCES organizations(id), code TEXT NOT NULL UNIQUE CHECK (length(code) BETWEEN 6 AND 12 AND code NOT GLOB '*[^A-Z0-9]*'), meeting_id TEXT NOT NULL UNIQUE,
 status TEXT NOT NULL DEFAULT 'scheduled' CHECK (status IN ('scheduled','waiting','active','ended','cancelled','no_show')), created_at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ','now')), kind TEXT NOT NULL CHECK (kind IN ('instant','appointment')),
 status_reason TEXT, integration_id TEXT NOT NULL, vendor_id TEXT NOT NULL, template_id TEXT, region TEXT, room_name TEXT NOT NULL UNIQUE CHECK (length(room_name) BETWEEN 1 AND 128 AND room_name NOT GLOB '*[^A-Za-z0-9.:_-]*'),
 room_state TEXT NOT NULL DEFAULT 'confirmed' CHECK (room_state IN ('confirmed','closing','closed','legacy_invalid')), room_verified_at TEXT, room_details TEXT NOT NULL DEFAULT '{}' CHECK (json_valid(room_details)), failover TEXT NOT NULL DEFAULT '[]' CHECK (json_valid(failover)),
 display_name TEXT NOT NULL DEFAULT 'Telehealth consultation' CHECK (length(display_name) BETWEEN 1 AND 120), appointment_id TEXT, encounter_id TEXT, patient_id TEXT, host_practitioner_id TEXT,
 scheduled_start TEXT, scheduled_end TEXT, waiting_since TEXT, started_at TEXT, paused_since TEXT, ended_at TEXT, closed_at TEXT, next_deadline_at TEXT,
 waiting_room INTEGER NOT NULL DEFAULT 1 CHECK (waiting_room IN (0,1)), recording_enabled INTEGER NOT NULL DEFAULT 0 CHECK (recording_enabled IN (0,1)), config TEXT NOT NULL DEFAULT '{}' CHECK (json_valid(config)), superseded_by TEXT, row_version INTEGER NOT NULL DEFAULT 1, created_by TEXT NOT NULL,
 updated_at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ','now')), UNIQUE (org_id, id), FOREIGN KEY (org_id, integration_id) REFERENCES integrations(org_id, id),
 CONSTRAINT room_id_real CHECK (room_state = 'legacy_invalid' OR (length(meeting_id) BETWEEN 24 AND 24 AND meeting_id NOT GLOB '*[^0-9a-f]*' AND room_verified_at IS NOT NULL)), CONSTRAINT ended_has_time CHECK ((status = 'ended') = (ended_at IS NOT NULL)),
 CONSTRAINT active_has_start CHECK (status <> 'active' OR started_at IS NOT NULL), CONSTRAINT closed_has_reason CHECK ((status IN ('ended','cancelled','no_show')) = (closed_at IS NOT NULL AND status_reason IS NOT NULL)),
 CONSTRAINT times_ordered CHECK (scheduled_end >= scheduled_start AND (ended_at IS NULL OR started_at IS NULL OR ended_at >= started_at)));
CREATE UNIQUE INDEX vm_one_open_per_appointment ON virtual_meetings (org_id, appointment_id) WHERE appointment_id IS NOT NULL AND status IN ('scheduled','waiting','active');
CREATE UNIQUE INDEX vm_one_encounter ON virtual_meetings (org_id, encounter_id) WHERE encounter_id IS NOT NULL;
CREATE INDEX vm_list ON virtual_meetings (org_id, created_at DESC, id);
CREATE INDEX vm_patient ON virtual_meetings (org_id, patient_id, scheduled_start);
CREATE INDEX vm_due ON virtual_meetings (next_deadline_at) WHERE status IN ('scheduled','waiting','active');
CREATE TABLE provider_operations (id TEXT PRIMARY KEY, org_id TEXT NOT NULL, integration_id TEXT NOT NULL, visit_id TEXT,
 op TEXT NOT NULL CHECK (op IN ('create_room','close_room','set_role','remove_peer','start_recording','stop_recording')), args TEXT NOT NULL DEFAULT '{}' CHECK (json_valid(args)),
 state TEXT NOT NULL DEFAULT 'pending' CHECK (state IN ('pending','done','failed','compensating','compensated','stuck')), room_name TEXT, room_id TEXT, attempts INTEGER NOT NULL DEFAULT 0,
 next_attempt_at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ','now')), last_code TEXT, created_at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ','now')), updated_at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ','now')));
CREATE INDEX po_due ON provider_operations (next_attempt_at) WHERE state IN ('pending','compensating');
CREATE UNIQUE INDEX po_room_name ON provider_operations (room_name) WHERE op = 'create_room';
CREATE TABLE virtual_meeting_invites (id TEXT PRIMARY KEY, org_id TEXT NOT NULL, visit_id TEXT NOT NULL, kind TEXT NOT NULL CHECK (kind IN ('host','patient','guest','interpreter','caregiver')),
 secret_hash BLOB NOT NULL UNIQUE, person_ref TEXT, display_name TEXT, language TEXT, max_uses INTEGER NOT NULL DEFAULT 5 CHECK (max_uses BETWEEN 1 AND 50), uses INTEGER NOT NULL DEFAULT 0, expires_at TEXT NOT NULL,
 revoked_at TEXT, created_by TEXT NOT NULL, created_at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ','now')), UNIQUE (org_id, id), FOREIGN KEY (org_id, visit_id) REFERENCES virtual_meetings(org_id, id));
CREATE TABLE virtual_meeting_participants (id TEXT PRIMARY KEY, org_id TEXT NOT NULL, visit_id TEXT NOT NULL, invite_id TEXT,
 type TEXT NOT NULL CHECK (type IN ('practitioner','patient','guest','interpreter','caregiver')), role TEXT NOT NULL CHECK (role IN ('host','guest','waiting-room')),
 state TEXT NOT NULL CHECK (state IN ('lobby','waiting','admitted','connected','away','left','denied','removed')), identity TEXT NOT NULL CHECK (identity IN ('verified','claimed','confirmed')), person_ref TEXT,
 display_name TEXT NOT NULL CHECK (length(display_name) BETWEEN 1 AND 120), language TEXT, provider_user_id TEXT NOT NULL UNIQUE, peer_id TEXT, ticket_hash BLOB UNIQUE, ticket_expires_at TEXT, device_check TEXT CHECK (device_check IS NULL OR json_valid(device_check)),
 arrived_at TEXT, admitted_at TEXT, admitted_by TEXT, joined_at TEXT, left_at TEXT, connected_seconds INTEGER NOT NULL DEFAULT 0, closed_reason TEXT, row_version INTEGER NOT NULL DEFAULT 1,
 created_at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ','now')), UNIQUE (org_id, id), FOREIGN KEY (org_id, visit_id) REFERENCES virtual_meetings(org_id, id),
 CONSTRAINT host_is_practitioner CHECK (role <> 'host' OR (type = 'practitioner' AND identity = 'verified' AND person_ref IS NOT NULL)));
CREATE INDEX vmp_visit ON virtual_meeting_participants (org_id, visit_id, state);
CREATE TABLE chain_heads (org_id TEXT NOT NULL, chain TEXT NOT NULL, seq INTEGER NOT NULL, hash BLOB NOT NULL, PRIMARY KEY (org_id, chain));
CREATE TABLE virtual_meeting_events (id INTEGER PRIMARY KEY AUTOINCREMENT, org_id TEXT NOT NULL, visit_id TEXT NOT NULL, seq INTEGER NOT NULL, type TEXT NOT NULL, data TEXT NOT NULL DEFAULT '{}' CHECK (json_valid(data)),
 actor_kind TEXT NOT NULL CHECK (actor_kind IN ('user','api_key','participant','provider','system','operator','open_loopback')), actor_id TEXT, occurred_at TEXT NOT NULL, recorded_at TEXT NOT NULL,
 prev_hash BLOB NOT NULL, hash BLOB NOT NULL, UNIQUE (visit_id, seq), UNIQUE (visit_id, hash), FOREIGN KEY (org_id, visit_id) REFERENCES virtual_meetings(org_id, id));
CREATE TABLE fhir_resources (org_id TEXT NOT NULL REFERENCES organizations(id), resource_type TEXT NOT NULL, id TEXT NOT NULL CHECK (length(id) BETWEEN 1 AND 64 AND id NOT GLOB '*[^A-Za-z0-9.-]*'), version_id INTEGER NOT NULL, last_updated TEXT NOT NULL,
 deleted INTEGER NOT NULL DEFAULT 0 CHECK (deleted IN (0,1)), visit_id TEXT, resource TEXT NOT NULL CHECK (json_valid(resource)), PRIMARY KEY (org_id, resource_type, id));
CREATE TABLE fhir_versions (org_id TEXT NOT NULL, resource_type TEXT NOT NULL, id TEXT NOT NULL, version_id INTEGER NOT NULL, last_updated TEXT NOT NULL, actor TEXT NOT NULL, deleted INTEGER NOT NULL CHECK (deleted IN (0,1)), resource TEXT NOT NULL CHECK (json_valid(resource)),
 PRIMARY KEY (org_id, resource_type, id, version_id));
CREATE TABLE fhir_index (org_id TEXT NOT NULL, resource_type TEXT NOT NULL, id TEXT NOT NULL, param TEXT NOT NULL, system TEXT NOT NULL DEFAULT '', value TEXT NOT NULL DEFAULT '', date_lo TEXT, date_hi TEXT,
 FOREIGN KEY (org_id, resource_type, id) REFERENCES fhir_resources ON DELETE CASCADE);
CREATE INDEX fhir_index_value ON fhir_index (org_id, resource_type, param, value, system);
CREATE INDEX fhir_index_date ON fhir_index (org_id, resource_type, param, date_lo, date_hi);
INSERT INTO integration_vendors (id, name, category, description, documentation, featured, sort_order) VALUES ('100ms', '100ms', 'telehealth', 'Video visits through 100ms cloud or any compatible endpoint, the built-in engine included', 'https://www.100ms.live/docs', 1, 10);
CREATE TRIGGER integration_activity_log_append_only_update BEFORE UPDATE ON integration_activity_log BEGIN SELECT RAISE(ABORT, 'integration_activity_log is append-only'); END;
CREATE TRIGGER integration_activity_log_append_only_delete BEFORE DELETE ON integration_activity_log BEGIN SELECT RAISE(ABORT, 'integration_activity_log is append-only'); END;
CREATE TRIGGER virtual_meeting_events_append_only_update BEFORE UPDATE ON virtual_meeting_events BEGIN SELECT RAISE(ABORT, 'virtual_meeting_events is append-only'); END;
CREATE TRIGGER virtual_meeting_events_append_only_delete BEFORE DELETE ON virtual_meeting_events BEGIN SELECT RAISE(ABORT, 'virtual_meeting_events is append-only'); END;
CREATE TRIGGER fhir_versions_append_only_update BEFORE UPDATE ON fhir_versions BEGIN SELECT RAISE(ABORT, 'fhir_versions is append-only'); END;
CREATE TRIGGER fhir_versions_append_only_delete BEFORE DELETE ON fhir_versions BEGIN SELECT RAISE(ABORT, 'fhir_versions is append-only'); END;
-- A write that leaves row_version alone came from outside the program: note it, forget the old test result.
CREATE TRIGGER integrations_outside AFTER UPDATE ON integrations WHEN NEW.row_version = OLD.row_version BEGIN
  UPDATE integrations SET row_version = OLD.row_version + 1, updated_at = strftime('%Y-%m-%dT%H:%M:%fZ','now'), updated_by = 'sql:operator',
    health_status = CASE WHEN NEW.credentials IS NOT OLD.credentials THEN 'inactive' ELSE health_status END,
    last_error = CASE WHEN NEW.credentials IS NOT OLD.credentials THEN NULL ELSE last_error END WHERE id = NEW.id;
  INSERT INTO integration_activity_log (org_id, integration_id, activity_type, status, details, actor) VALUES (NEW.org_id, NEW.id, 'updated', 'success',
    json_object('via', 'sql', 'keys', json((SELECT coalesce(json_group_array(k), '[]') FROM (SELECT key AS k FROM json_each(NEW.credentials) UNION SELECT key FROM json_each(OLD.credentials))
      WHERE (SELECT value FROM json_each(NEW.credentials) WHERE key = k) IS NOT (SELECT value FROM json_each(OLD.credentials) WHERE key = k)))), 'sql:operator');
END;
