// The EHR team's own debug guide, line by line, on PostgreSQL: their SQL, their curl, their log lines.
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { Server } from './support/server.mjs';
import { ownDatabase, psql } from './support/postgres.mjs';

const org = '0d5a1c3e-7b42-4f6a-9c11-5e2f8a7b6c01';
const integration = 'b8e2f4a6-1c3d-4e5f-8a9b-0c1d2e3f4a5b';
const otherOrg = '7c1d9e52-4f0b-4a6e-8d33-1a2b3c4d5e6f';
const body = '{"appointmentId": "test-appointment-id", "patientId": "test-patient-id", "practitionerId": "test-practitioner-id"}';

let database, server;
const instant = (headers) => fetch(`${server.api}/api/virtual-meetings/instant`, { method: 'POST', headers: { 'Content-Type': 'application/json', ...headers }, body });

before(async () => {
  database = await ownDatabase('guide');
  server = await Server.start({
    args: ['--database-url', database.url],
    init: ['--scenario', 'missing-template', '--org-id', org, '--integration-id', integration],
  });
});
after(async () => {
  await server?.dispose();
  await database?.drop();
});

test('1 look: one enabled row, the secret enveloped, no templateId', async () => {
  const rows = (await psql(database.url, "SELECT id, org_id, vendor_id, enabled, credentials FROM integrations WHERE vendor_id = '100ms';")).split('\n');
  assert.equal(rows.length, 1);
  const [id, orgId, vendor, enabled, ...credentials] = rows[0].split('|');
  assert.deepEqual([id, orgId, vendor, enabled], [integration, org, '100ms', 't']);
  const stored = JSON.parse(credentials.join('|'));
  assert.match(stored.appSecret, /^enc:v1:/);
  assert.ok(stored.appId && stored.apiEndpoint);
  assert.ok(!('templateId' in stored));
});

test('2 symptom: 409 integration_template_missing, no row', async () => {
  const answer = await instant({ 'x-org-id': org });
  const problem = await answer.json();
  assert.equal(answer.status, 409, JSON.stringify(problem));
  assert.equal(problem.code, 'integration_template_missing');
  assert.match(problem.remedy, /[0-9a-f]{24}/);
  assert.equal(await psql(database.url, "SELECT count(*) FROM virtual_meetings WHERE appointment_id = 'test-appointment-id'"), '0');
});

test('4 the fix takes effect at the next request, for that organisation alone', async () => {
  // A second clinic with the same gap, whose row the guide's WHERE clause does not name.
  await psql(database.url, `INSERT INTO organizations (id, name, demo, fhir_system_base) VALUES ('${otherOrg}', 'Other clinic', true, 'urn:other');
    INSERT INTO integrations (org_id, vendor_id, enabled, credentials)
    SELECT '${otherOrg}', vendor_id, true, credentials || '{"appSecret":"another-clinics-own-secret"}' FROM integrations WHERE id = '${integration}'`);
  const version = Number(await psql(database.url, `SELECT row_version FROM integrations WHERE id = '${integration}'`));

  await psql(database.url, `UPDATE integrations SET credentials = jsonb_set(credentials, '{templateId}', '"${server.run.templateId}"') WHERE vendor_id = '100ms' AND org_id = '${org}';`);
  assert.equal(
    await psql(database.url, `SELECT vendor_id, enabled, credentials->'templateId' as template_id FROM integrations WHERE vendor_id = '100ms' AND org_id = '${org}';`),
    `100ms|t|"${server.run.templateId}"`,
  );
  assert.equal(await psql(database.url, `SELECT row_version, health_status FROM integrations WHERE id = '${integration}'`), `${version + 1}|inactive`);
  assert.match(await psql(database.url, `SELECT details->'keys' FROM integration_activity_log WHERE integration_id = '${integration}' ORDER BY id DESC LIMIT 1`), /templateId/);

  const other = await instant({ 'x-org-id': otherOrg });
  assert.equal(other.status, 409);
  assert.equal((await other.json()).code, 'integration_template_missing');
});

test('5 test: success, health saved', async () => {
  const answer = await fetch(`${server.api}/api/integrations/${integration}/test`, { method: 'POST', headers: { 'Content-Type': 'application/json', 'x-org-id': org } });
  const result = await answer.json();
  assert.equal(answer.status, 200);
  assert.equal(result.success, true, JSON.stringify(result));
  assert.equal(await psql(database.url, `SELECT health_status FROM integrations WHERE id = '${integration}'`), 'active');
});

let visit;
test('6 meeting: 201 with a room id of 24 hex digits; again 200 reused', async () => {
  const answer = await instant({ 'x-org-id': org });
  visit = await answer.json();
  assert.equal(answer.status, 201, JSON.stringify(visit));
  assert.match(visit.meetingId, /^[0-9a-f]{24}$/);
  assert.ok(visit.hostLink);
  assert.deepEqual([...visit.warnings].sort(), ['appointment_unknown', 'patient_unknown', 'practitioner_unknown']);
  const again = await instant({ 'x-org-id': org });
  assert.equal(again.status, 200);
  assert.equal((await again.json()).reused, true);
});

test('7 log: the four lines people look for', () => {
  const log = server.log().replaceAll('\\n', '\n');
  assert.match(log, new RegExp(`100ms client initialized for ${integration}[\\s\\S]*?templateId: ${server.run.templateId}`));
  assert.match(log, /Creating 100ms room: \{ name: 'telehealth-consultation\.[a-z2-7A-Z]{26}' \}/);
  assert.match(log, new RegExp(`100ms createRoom payload: \\{[^\\n]*template_id: '${server.run.templateId}'`));
  assert.match(log, new RegExp(`100ms room created: ${visit.meetingId}`));
});

test('8 row: the newest meeting is the new one', async () => {
  assert.equal(
    await psql(database.url, 'SELECT id, code, meeting_id, status FROM virtual_meetings ORDER BY created_at DESC LIMIT 1;'),
    [visit.id, visit.code, visit.meetingId, 'scheduled'].join('|'),
  );
});

test('10 the engine has the room, enabled, with the right template', async () => {
  const token = await server.managementToken();
  const room = await (await fetch(`${server.api}/v2/rooms/${visit.meetingId}`, { headers: { authorization: `Bearer ${token}` } })).json();
  assert.deepEqual([room.id, room.enabled, room.template_id], [visit.meetingId, true, server.run.templateId]);
});

test('a room id that no provider issued cannot be stored, not even by SQL', async () => {
  await assert.rejects(psql(database.url, `UPDATE virtual_meetings SET meeting_id = 'room_1700000000000' WHERE id = '${visit.id}'`), /room_id_real/);
});
