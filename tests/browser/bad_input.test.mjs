// What strangers and mistakes get: the documented problem, the right status, and nothing left behind.
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import dgram from 'node:dgram';
import { readdir, readlink } from 'node:fs/promises';
import net from 'node:net';
import { Server, until } from './support/server.mjs';

let server, bare;
before(async () => {
  [server, bare] = await Promise.all([Server.start(), Server.start({ init: ['--scenario', 'missing-template'] })]);
});
after(async () => Promise.all([server?.dispose(), bare?.dispose()]));

const guide = { appointmentId: 'test-appointment-id', patientId: 'test-patient-id', practitionerId: 'test-practitioner-id' };
const instant = (on, json = guide, options = {}) => on.call('POST', '/api/virtual-meetings/instant', { json, ...options });
const visits = async (on) => {
  const answer = await on.call('GET', `/api/virtual-meetings/org/${on.run.orgId}?limit=200`);
  assert.equal(answer.status, 200, answer.text);
  return answer.body.pagination.total;
};
const rooms = async (on) => {
  const token = await on.managementToken();
  const answer = await fetch(`${on.api}/v2/rooms?limit=100`, { headers: { authorization: `Bearer ${token}` } });
  return (await answer.json()).data.length;
};
const runTest = (on) => on.call('POST', `/api/integrations/${on.run.integrationId}/test`);

function assertProblem(answer, status, code) {
  assert.equal(answer.status, status, answer.text);
  assert.match(answer.headers.get('content-type') ?? '', /^application\/problem\+json/);
  assert.equal(answer.body.code, code, answer.text);
  for (const member of ['type', 'title', 'detail', 'remedy', 'requestId']) assert.ok(answer.body[member], `the problem has no ${member}: ${answer.text}`);
  assert.equal(answer.headers.get('x-request-id'), answer.body.requestId);
}

test('without templateId: the test names exactly that, a meeting is refused, nothing is stored', async () => {
  const before = [await visits(bare), await rooms(bare)];
  const tested = await runTest(bare);
  assert.equal(tested.status, 200, tested.text);
  assert.equal(tested.body.success, false);
  assert.equal(tested.body.firstBroken, 'template.id');
  assert.match(tested.body.checks.find((c) => c.id === 'template.id').remedy, new RegExp(bare.run.templateId));
  const answer = await instant(bare);
  assertProblem(answer, 409, 'integration_template_missing');
  assert.equal(answer.body.link, 'template.id');
  assert.match(answer.body.remedy, new RegExp(bare.run.templateId));
  assert.deepEqual([await visits(bare), await rooms(bare)], before);
});

for (const [what, value, code] of [
  ['an empty templateId', '', 'integration_template_missing'],
  ['a pasted placeholder', 'YOUR_TEMPLATE_ID', 'integration_template_invalid'],
  ['a template nobody knows', '0123456789abcdef01234567', 'integration_template_unknown'],
]) {
  test(`${what} set by SQL: refused by name at the next request`, async () => {
    await bare.cli('sql', `UPDATE integrations SET credentials = jsonb_set(credentials, '{templateId}', '"${value}"') WHERE vendor_id = '100ms'`);
    const before = [await visits(bare), await rooms(bare)];
    assertProblem(await instant(bare), 409, code);
    const tested = await runTest(bare);
    assert.equal(tested.body.firstBroken, 'template.id', tested.text);
    assert.deepEqual([await visits(bare), await rooms(bare)], before);
  });
}

test('the right templateId set by SQL takes effect at the next request', async () => {
  await bare.cli('sql', `UPDATE integrations SET credentials = jsonb_set(credentials, '{templateId}', '"${bare.run.templateId}"') WHERE vendor_id = '100ms'`);
  const tested = await runTest(bare);
  assert.equal(tested.body.success, true, tested.text);
  const made = await instant(bare);
  assert.equal(made.status, 201, made.text);
  assert.match(made.body.meetingId, /^[0-9a-f]{24}$/);
  const again = await instant(bare);
  assert.equal(again.status, 200, again.text);
  assert.equal(again.body.reused, true);
  assert.equal(again.body.id, made.body.id);
});

test('a wrong secret: the test says the token is refused, a meeting is refused, nothing is stored', async () => {
  const changed = await bare.call('PUT', `/api/integrations/${bare.run.integrationId}`, {
    json: { credentials: { appSecret: 'not-the-secret-of-this-workspace' } }, headers: { 'if-match': '*' },
  });
  assert.equal(changed.status, 200, changed.text);
  assert.ok(!changed.text.includes('not-the-secret'), 'secrets are masked on read');
  const before = [await visits(bare), await rooms(bare)];
  const tested = await runTest(bare);
  assert.equal(tested.body.success, false);
  assert.equal(tested.body.firstBroken, 'token.accepted');
  assertProblem(await instant(bare, {}), 409, 'integration_credentials_rejected');
  assert.deepEqual([await visits(bare), await rooms(bare)], before);
});

test('malformed bodies and wrong types', async () => {
  const before = await visits(server);
  for (const json of ['{', '[]', 'null', '{"a":1}{', '{"a":1,"a":2}', '{"displayName":"\\ud800"}', '{"displayName":NaN}', '['.repeat(64)])
    assertProblem(await instant(server, json), 400, 'json_invalid');
  for (const json of [{ displayName: 7 }, { waitingRoom: 'maybe' }, { durationMinutes: 1.5 }, { durationMinutes: 1 }, { patientId: 'x'.repeat(65) }, { displayName: '' }]) {
    const answer = await instant(server, json);
    assertProblem(answer, 422, 'validation_failed');
    assert.equal(answer.body.errors[0].pointer, `/${Object.keys(json)[0]}`);
  }
  assertProblem(await instant(server, { displayName: 'x'.repeat(300 * 1024) }), 413, 'body_too_large');
  assert.equal(await visits(server), before);
});

test('no organisation, another clinic, unknown ids, unknown codes', async () => {
  assertProblem(await instant(server, guide, { org: null }), 400, 'org_required');
  const foreign = await instant(server, guide, { org: '11111111-2222-4333-8444-555555555555' });
  assert.ok([401, 403, 404].includes(foreign.status), foreign.text);
  assertProblem(await server.call('GET', '/api/virtual-meetings/11111111-2222-4333-8444-555555555555'), 404, 'not_found');
  assertProblem(await server.call('GET', '/api/virtual-meetings/code/AAAAAAAAAA'), 404, 'meeting_not_found');
  assertProblem(await server.call('POST', '/api/virtual-meetings/join/AAAAAAAAAA', { json: { displayName: 'Eve' } }), 404, 'meeting_not_found');
  assertProblem(await server.call('GET', '/api/nothing-here'), 404, 'route_not_found');
});

test('a link-holder who claims to be the practitioner is refused', async () => {
  const { body: visit } = await instant(server, {});
  for (const claim of ['provider', 'practitioner', 'host'])
    assertProblem(await server.call('POST', `/api/virtual-meetings/join/${visit.code}`, { json: { displayName: 'Eve', claim }, org: null }), 403, 'role_not_allowed');
});

test('the engine refuses bad, expired and foreign tokens and room names used as ids', async () => {
  const good = await server.managementToken();
  const [head, payload, signature] = good.split('.');
  const none = Buffer.from('{"alg":"none","typ":"JWT"}').toString('base64url');
  for (const token of ['', 'x', `${head}.${payload}.`, `${none}.${payload}.`, `${head}.${payload}.${signature.slice(0, -4)}AAAA`]) {
    const answer = await fetch(`${server.api}/v2/rooms`, { headers: { authorization: `Bearer ${token}` } });
    assert.equal(answer.status, 401, token);
  }
  for (const id of ['room_1700000000000', '0123456789abcdef01234567']) {
    const answer = await fetch(`${server.api}/v2/rooms/${id}`, { headers: { authorization: `Bearer ${good}` } });
    assert.ok([400, 404].includes(answer.status), `${id}: ${answer.status}`);
  }
});

test('a command beside the running server leaves its database files alone', async () => {
  await server.cli('sql', 'SELECT count(*) FROM integrations');
  await server.managementToken();
  const links = await Promise.all((await readdir(`/proc/${server.pid}/fd`)).map((fd) => readlink(`/proc/${server.pid}/fd/${fd}`).catch(() => '')));
  assert.deepEqual(links.filter((target) => target.includes('.db') && target.endsWith('(deleted)')), [], 'files the server writes to that no longer have a name');
  const made = await instant(server, {});
  assert.match(await server.cli('sql', `SELECT count(*) FROM virtual_meetings WHERE id = '${made.body.id}'`), /^1\b/, 'what the server stored is seen by others');
});

// Seeded by nothing: every run tries new bytes. What it sends is bounded in count and size.
function tcpNoise(port, head) {
  return new Promise((done) => {
    const socket = net.connect(port, '127.0.0.1');
    socket.setTimeout(1500, () => socket.destroy());
    socket.on('error', () => {});
    socket.on('close', done);
    socket.on('connect', () => socket.end(Buffer.concat([Buffer.from(head, 'latin1'), randomBytes(1 + Math.floor(Math.random() * 4096))])));
    socket.resume();
  });
}

test('random bytes on every port leave the server healthy', async () => {
  const heads = ['', '', 'GET / HTTP/1.1\r\nHost: localhost\r\n', 'POST /api/virtual-meetings/instant HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999\r\n\r\n',
    'GET /init HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: upgrade\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n\r\n',
    'POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n', '\x16\x03\x01', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'];
  for (const port of [server.api, server.web].map((url) => Number(new URL(url).port)))
    for (let round = 0; round < 12; round++) await Promise.all(heads.map((head) => tcpNoise(port, head)));

  const [host, port] = [server.run.media.slice(0, server.run.media.lastIndexOf(':')), Number(server.run.media.split(':').pop())];
  const udp = dgram.createSocket('udp4');
  // First bytes as STUN, DTLS, RTP/RTCP and TURN have them (RFC 7983), so that every branch of the demultiplexer gets its share.
  for (const first of [0, 1, 20, 22, 63, 64, 79, 128, 143, 191, 255])
    for (let i = 0; i < 100; i++) {
      const packet = randomBytes(1 + Math.floor(Math.random() * 1400));
      packet[0] = first;
      if (i % 3 === 0 && first < 2 && packet.length >= 20) packet.writeUInt32BE(0x2112a442, 4);
      await new Promise((done) => udp.send(packet, port, host, done));
    }
  udp.close();

  await until('/readyz 200', async () => (await fetch(`${server.api}/readyz`)).status === 200);
  assert.equal((await fetch(server.web)).status, 200);
  const made = await instant(server, {});
  assert.equal(made.status, 201, made.text);
  assert.doesNotThrow(() => process.kill(server.pid, 0));
});
