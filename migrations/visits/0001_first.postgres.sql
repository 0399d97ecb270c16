-- The tables of the first slice (visit-api.md 2.1); later slices add theirs.
CREATE FUNCTION tv_append_only() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION '% is append-only', TG_TABLE_NAME; END $$;
CREATE TABLE organizations (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), name text NOT NULL CHECK (length(name) BETWEEN 1 AND 200), demo boolean NOT NULL DEFAULT false, settings jsonb NOT NULL DEFAULT '{}',
  fhir_system_base text NOT NULL, row_version int NOT NULL DEFAULT 1, created_at timestamptz NOT NULL DEFAULT now(), updated_at timestamptz NOT NULL DEFAULT now());
CREATE TABLE integration_vendors (id varchar(100) PRIMARY KEY, name text NOT NULL, category text NOT NULL CHECK (category IN ('telehealth','ehr')), description text, documentation text, featured boolean NOT NULL DEFAULT false,
  active boolean NOT NULL DEFAULT true, sort_order int NOT NULL DEFAULT 0);
CREATE TABLE integrations (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), org_id uuid NOT NULL REFERENCES organizations(id), vendor_id varchar(100) NOT NULL REFERENCES integration_vendors(id), enabled boolean NOT NULL DEFAULT false,
  environment text NOT NULL DEFAULT 'sandbox' CHECK (environment IN ('sandbox','production')), priority int NOT NULL DEFAULT 100 CHECK (priority BETWEEN 0 AND 1000),
  credentials jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(credentials) = 'object'), usage_mappings jsonb NOT NULL DEFAULT '[]',
  health_status text NOT NULL DEFAULT 'inactive' CHECK (health_status IN ('active','inactive','testing','error')), last_tested_at timestamptz, last_error text, row_version int NOT NULL DEFAULT 1, created_by text, updated_by text,
  created_at timestamptz NOT NULL DEFAULT now(), updated_at timestamptz NOT NULL DEFAULT now(), UNIQUE (org_id, vendor_id, environment), UNIQUE (org_id, id));
CREATE TABLE integration_activity_log (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, org_id uuid NOT NULL, integration_id uuid NOT NULL,
  activity_type text NOT NULL CHECK (activity_type IN ('created','updated','deleted','enabled','disabled','tested','error','webhook_received','operation_executed','failed_over','reencrypted')),
  status text NOT NULL CHECK (status IN ('success','error')), details jsonb NOT NULL DEFAULT '{}', error_code text, actor text NOT NULL, created_at timestamptz NOT NULL DEFAULT now());
CREATE FUNCTION tv_integrations_outside() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  IF NEW.row_version = OLD.row_version THEN
    NEW.row_version := OLD.row_version + 1; NEW.updated_at := now(); NEW.updated_by := 'sql:' || session_user;
    IF NEW.credentials IS DISTINCT FROM OLD.credentials THEN NEW.health_status := 'inactive'; NEW.last_error := NULL; END IF;
    INSERT INTO integration_activity_log (org_id, integration_id, activity_type, status, details, actor) VALUES (NEW.org_id, NEW.id, 'updated', 'success',
      jsonb_build_object('via','sql','keys',(SELECT coalesce(jsonb_agg(k),'[]') FROM (SELECT jsonb_object_keys(NEW.credentials || OLD.credentials) k) s
        WHERE NEW.credentials->k IS DISTINCT FROM OLD.credentials->k)), 'sql:' || session_user);
  END IF; RETURN NEW; END $$;
CREATE TRIGGER integrations_outside BEFORE UPDATE ON integrations FOR EACH ROW EXECUTE FUNCTION tv_integrations_outside();
CREATE TABLE integration_checks (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), org_id uuid NOT NULL, integration_id uuid NOT NULL, origin text NOT NULL CHECK (origin IN ('api','cli','wizard','schedule')),
  started_at timestamptz NOT NULL, finished_at timestamptz, outcome text CHECK (outcome IN ('pass','warn','fail','aborted')), checks jsonb NOT NULL DEFAULT '[]', FOREIGN KEY (org_id, integration_id) REFERENCES integrations(org_id,
  id) ON DELETE CASCADE);
CREATE UNIQUE INDEX integration_checks_running ON integration_checks (integration_id) WHERE finished_at IS NULL;
CREATE TABLE virtual_meetings (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), org_id uuid NOT NULL REFERENCES organizations(id), code varchar(16) NOT NULL UNIQUE CHECK (code ~ '^[A-Z0-9]{6,12}$'), meeting_id varchar(64) NOT NULL UNIQUE,
  status text NOT NULL DEFAULT 'scheduled' CHECK (status IN ('scheduled','waiting','active','ended','cancelled','no_show')), created_at timestamptz NOT NULL DEFAULT now(), kind text NOT NULL CHECK (kind IN ('instant','appointment')),
  status_reason text, integration_id uuid NOT NULL, vendor_id varchar(100) NOT NULL, template_id varchar(64), region text, room_name varchar(128) NOT NULL UNIQUE CHECK (room_name ~ '^[A-Za-z0-9.:_-]+$'),
  room_state text NOT NULL DEFAULT 'confirmed' CHECK (room_state IN ('confirmed','closing','closed','legacy_invalid')), room_verified_at timestamptz, room_details jsonb NOT NULL DEFAULT '{}', failover jsonb NOT NULL DEFAULT '[]',
  display_name text NOT NULL DEFAULT 'Telehealth consultation' CHECK (length(display_name) BETWEEN 1 AND 120), appointment_id varchar(64), encounter_id varchar(64), patient_id varchar(64), host_practitioner_id varchar(64),
  scheduled_start timestamptz, scheduled_end timestamptz, waiting_since timestamptz, started_at timestamptz, paused_since timestamptz, ended_at timestamptz, closed_at timestamptz, next_deadline_at timestamptz,
  waiting_room boolean NOT NULL DEFAULT true, recording_enabled boolean NOT NULL DEFAULT false, config jsonb NOT NULL DEFAULT '{}', superseded_by uuid, row_version int NOT NULL DEFAULT 1, created_by text NOT NULL,
  updated_at timestamptz NOT NULL DEFAULT now(), UNIQUE (org_id, id), FOREIGN KEY (org_id, integration_id) REFERENCES integrations(org_id, id),
  CONSTRAINT room_id_real CHECK (room_state = 'legacy_invalid' OR (meeting_id ~ '^[0-9a-f]{24}$' AND room_verified_at IS NOT NULL)), CONSTRAINT ended_has_time CHECK ((status = 'ended') = (ended_at IS NOT NULL)),
  CONSTRAINT active_has_start CHECK (status <> 'active' OR started_at IS NOT NULL), CONSTRAINT closed_has_reason CHECK ((status IN ('ended','cancelled','no_show')) = (closed_at IS NOT NULL AND status_reason IS NOT NULL)),
  CONSTRAINT times_ordered CHECK (scheduled_end >= scheduled_start AND (ended_at IS NULL OR started_at IS NULL OR ended_at >= started_at)));
CREATE UNIQUE INDEX vm_one_open_per_appointment ON virtual_meetings (org_id, appointment_id) WHERE appointment_id IS NOT NULL AND status IN ('scheduled','waiting','active');
CREATE UNIQUE INDEX vm_one_encounter ON virtual_meetings (org_id, encounter_id) WHERE encounter_id IS NOT NULL;
CREATE INDEX vm_list ON virtual_meetings (org_id, created_at DESC, id);
CREATE INDEX vm_patient ON virtual_meetings (org_id, patient_id, scheduled_start);
CREATE INDEX vm_due ON virtual_meetings (next_deadline_at) WHERE status IN ('scheduled','waiting','active');
CREATE TABLE provider_operations (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), org_id uuid NOT NULL, integration_id uuid NOT NULL, visit_id uuid,
  op text NOT NULL CHECK (op IN ('create_room','close_room','set_role','remove_peer','start_recording','stop_recording')), args jsonb NOT NULL DEFAULT '{}',
  state text NOT NULL DEFAULT 'pending' CHECK (state IN ('pending','done','failed','compensating','compensated','stuck')), room_name varchar(128), room_id varchar(64), attempts int NOT NULL DEFAULT 0,
  next_attempt_at timestamptz NOT NULL DEFAULT now(), last_code text, created_at timestamptz NOT NULL DEFAULT now(), updated_at timestamptz NOT NULL DEFAULT now());
CREATE INDEX po_due ON provider_operations (next_attempt_at) WHERE state IN ('pending','compensating');
CREATE UNIQUE INDEX po_room_name ON provider_operations (room_name) WHERE op = 'create_room';
CREATE TABLE virtual_meeting_invites (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), org_id uuid NOT NULL, visit_id uuid NOT NULL, kind text NOT NULL CHECK (kind IN ('host','patient','guest','interpreter','caregiver')),
  secret_hash bytea NOT NULL UNIQUE, person_ref text, display_name text, language text, max_uses int NOT NULL DEFAULT 5 CHECK (max_uses BETWEEN 1 AND 50), uses int NOT NULL DEFAULT 0, expires_at timestamptz NOT NULL,
  revoked_at timestamptz, created_by text NOT NULL, created_at timestamptz NOT NULL DEFAULT now(), UNIQUE (org_id, id), FOREIGN KEY (org_id, visit_id) REFERENCES virtual_meetings(org_id, id));
CREATE TABLE virtual_meeting_participants (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), org_id uuid NOT NULL, visit_id uuid NOT NULL, invite_id uuid,
  type text NOT NULL CHECK (type IN ('practitioner','patient','guest','interpreter','caregiver')), role text NOT NULL CHECK (role IN ('host','guest','waiting-room')),
  state text NOT NULL CHECK (state IN ('lobby','waiting','admitted','connected','away','left','denied','removed')), identity text NOT NULL CHECK (identity IN ('verified','claimed','confirmed')), person_ref text,
  display_name text NOT NULL CHECK (length(display_name) BETWEEN 1 AND 120), language text, provider_user_id varchar(64) NOT NULL UNIQUE, peer_id text, ticket_hash bytea UNIQUE, ticket_expires_at timestamptz, device_check jsonb,
  arrived_at timestamptz, admitted_at timestamptz, admitted_by text, joined_at timestamptz, left_at timestamptz, connected_seconds int NOT NULL DEFAULT 0, closed_reason text, row_version int NOT NULL DEFAULT 1,
  created_at timestamptz NOT NULL DEFAULT now(), UNIQUE (org_id, id), FOREIGN KEY (org_id, visit_id) REFERENCES virtual_meetings(org_id, id),
  CONSTRAINT host_is_practitioner CHECK (role <> 'host' OR (type = 'practitioner' AND identity = 'verified' AND person_ref IS NOT NULL)));
CREATE INDEX vmp_visit ON virtual_meeting_participants (org_id, visit_id, state);
CREATE TABLE chain_heads (org_id uuid NOT NULL, chain text NOT NULL, seq bigint NOT NULL, hash bytea NOT NULL, PRIMARY KEY (org_id, chain));
CREATE TABLE virtual_meeting_events (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, org_id uuid NOT NULL, visit_id uuid NOT NULL, seq bigint NOT NULL, type text NOT NULL, data jsonb NOT NULL DEFAULT '{}',
  actor_kind text NOT NULL CHECK (actor_kind IN ('user','api_key','participant','provider','system','operator','open_loopback')), actor_id text, occurred_at timestamptz NOT NULL, recorded_at timestamptz NOT NULL,
  prev_hash bytea NOT NULL, hash bytea NOT NULL, UNIQUE (visit_id, seq), UNIQUE (visit_id, hash), FOREIGN KEY (org_id, visit_id) REFERENCES virtual_meetings(org_id, id));
CREATE TABLE fhir_resources (org_id uuid NOT NULL REFERENCES organizations(id), resource_type text NOT NULL, id varchar(64) NOT NULL CHECK (id ~ '^[A-Za-z0-9.-]{1,64}$'), version_id int NOT NULL, last_updated timestamptz NOT NULL,
  deleted boolean NOT NULL DEFAULT false, visit_id uuid, resource jsonb NOT NULL, PRIMARY KEY (org_id, resource_type, id));
CREATE TABLE fhir_versions (org_id uuid NOT NULL, resource_type text NOT NULL, id varchar(64) NOT NULL, version_id int NOT NULL, last_updated timestamptz NOT NULL, actor text NOT NULL, deleted boolean NOT NULL, resource jsonb NOT NULL,
  PRIMARY KEY (org_id, resource_type, id, version_id));
CREATE TABLE fhir_index (org_id uuid NOT NULL, resource_type text NOT NULL, id varchar(64) NOT NULL, param text NOT NULL, system text NOT NULL DEFAULT '', value text NOT NULL DEFAULT '', date_lo timestamptz, date_hi timestamptz,
  FOREIGN KEY (org_id, resource_type, id) REFERENCES fhir_resources ON DELETE CASCADE);
CREATE INDEX fhir_index_value ON fhir_index (org_id, resource_type, param, value, system);
CREATE INDEX fhir_index_date ON fhir_index (org_id, resource_type, param, date_lo, date_hi);
CREATE TRIGGER integration_activity_log_append_only BEFORE UPDATE OR DELETE ON integration_activity_log FOR EACH ROW EXECUTE FUNCTION tv_append_only();
CREATE TRIGGER virtual_meeting_events_append_only BEFORE UPDATE OR DELETE ON virtual_meeting_events FOR EACH ROW EXECUTE FUNCTION tv_append_only();
CREATE TRIGGER fhir_versions_append_only BEFORE UPDATE OR DELETE ON fhir_versions FOR EACH ROW EXECUTE FUNCTION tv_append_only();
INSERT INTO integration_vendors (id, name, category, description, documentation, featured, sort_order) VALUES ('100ms', '100ms', 'telehealth', 'Video visits through 100ms cloud or any compatible endpoint, the built-in engine included', 'https://www.100ms.live/docs', true, 10);
