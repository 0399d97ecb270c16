// The official Node SDK, as published, against the engine: repointed as 100ms-server-api.md §10.2 measured, every method
// of §10.3 of the groups this server has, and a clear refusal from those it has not.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import * as HMS from '@100mslive/server-sdk';
import { Server } from '../browser/support/server.mjs';
import { Client } from './support.mjs';

const here = path.dirname(fileURLToPath(import.meta.url));
let server, hms, keys;
const collect = async (list) => {
  const all = [];
  for await (const one of list) all.push(one);
  return all;
};

before(async () => {
  server = await Server.start();
  [keys] = JSON.parse(await server.cli('workspace', '--show-secret', '--json')).data;
  hms = new HMS.SDK(keys.accessKey, keys.secret);
  hms.api.axios.defaults.baseURL = `${server.api}/v2`;
});
after(async () => server?.dispose());

async function visitor(room, role, name) {
  const { token } = await hms.auth.getAuthToken({ roomId: room, role, userId: `u-${name}` });
  const client = new Client(server.api, token, randomUUID());
  await client.join(name);
  return client;
}

test('rooms: create, update, enable, find, list every page', async () => {
  const plain = await hms.rooms.create();
  assert.match(plain.id, /^[0-9a-f]{24}$/);
  const named = await hms.rooms.create({ name: 'sdk-visit', description: 'first' });
  assert.equal((await hms.rooms.create({ name: 'SDK-visit' })).id, named.id);
  assert.equal((await hms.rooms.update(named.id, { description: 'second' })).description, 'second');
  assert.equal((await hms.rooms.retrieveById(named.id)).description, 'second');
  assert.equal((await hms.rooms.retrieveByName('sdk-visit')).id, named.id);
  assert.equal((await hms.rooms.enableOrDisable(named.id, false)).enabled, false);
  assert.deepEqual((await collect(hms.rooms.list({ enabled: false }))).map((room) => room.id), [named.id]);
  assert.equal((await hms.rooms.enableOrDisable(named.id, true)).enabled, true);
  for (let i = 0; i < 18; i++) await hms.rooms.create();
  const all = await collect(hms.rooms.list());
  assert.equal(new Set(all.map((room) => room.id)).size, 20);
  assert.equal(all.length, 20, 'exactly two full pages, and the end is found');
  await assert.rejects(hms.rooms.retrieveById('room_1722500000000'), (error) => error.code === 400 && /invalid room id/.test(error.message));
  await assert.rejects(hms.rooms.retrieveById('000000000000000000000000'), (error) => error.code === 404);
});

test('room codes', async () => {
  const room = await hms.rooms.create();
  const codes = await hms.roomCodes.create(room.id);
  assert.deepEqual(codes.map((code) => code.role).sort(), ['guest', 'host', 'waiting-room']);
  const own = await hms.roomCodes.createForRole(room.id, 'host');
  const listed = await collect(hms.roomCodes.list(room.id, { role: 'host' }));
  assert.ok(listed.some((code) => code.code === own.code));
  assert.equal((await hms.roomCodes.enableOrDisable(own.code, false)).enabled, false);
  await assert.rejects(hms.roomCodes.createForRole(room.id, 'nosuch'), (error) => error.code === 404);
});

test('active rooms: peers, a promotion, a private message that stays private, removal, the end; sessions', async () => {
  const room = await hms.rooms.create();
  await assert.rejects(hms.activeRooms.retrieve(room.id), (error) => error.code === 404);
  const ana = await visitor(room.id, 'host', 'Ana');
  const ben = await visitor(room.id, 'waiting-room', 'Ben');
  const active = await hms.activeRooms.retrieve(room.id);
  assert.deepEqual(active.session.peers.sort(), [ana.peer, ben.peer].sort());
  assert.equal((await hms.activeRooms.retrieveActivePeers(room.id))[ana.peer].name, 'Ana');
  assert.equal((await hms.activeRooms.retrievePeerDetails(room.id, ben.peer)).role, 'waiting-room');
  assert.equal((await hms.activeRooms.updatePeer(room.id, ben.peer, { role: 'guest', metadata: 'm' })).role, 'guest');
  const running = await hms.sessions.retrieveActiveByRoom(room.id);
  assert.equal(running.active, true);

  await hms.activeRooms.sendMessage(room.id, { message: 'for Ben', peerId: ben.peer });
  assert.equal((await ben.heard('on-broadcast')).info.message, 'for Ben');
  await ana.request('ping', { timestamp: 1 });
  assert.ok(!ana.news.some((frame) => frame.method === 'on-broadcast'), 'peerId must not become a broadcast');
  await hms.activeRooms.sendMessage(room.id, { message: 'for all' });
  assert.equal((await ana.heard('on-broadcast')).info.message, 'for all');

  await hms.activeRooms.removePeer(room.id, { peer_id: ben.peer, reason: 'bye' });
  assert.equal((await ben.heard('on-peer-leave-request')).reason, 'bye');
  await hms.activeRooms.end(room.id, { reason: 'over', lock: true });
  assert.equal((await ana.heard('on-peer-leave-request')).room_end, true);
  assert.equal((await hms.rooms.retrieveById(room.id)).enabled, false);
  const closed = await hms.sessions.retrieveById(running.id);
  assert.equal(closed.active, false);
  assert.equal(Object.keys(closed.peers).length, 2);
  assert.ok((await collect(hms.sessions.list({ room_id: room.id }))).some((session) => session.id === running.id));
  for (const client of [ana, ben]) client.close();
});

test('any path by api.get and api.post', async () => {
  const template = await hms.api.get(`/templates/${keys.defaultTemplateId}`);
  assert.equal(template.name, 'default_telehealth');
  const settings = await hms.api.post(`templates/${keys.defaultTemplateId}/settings`, { region: 'eu' });
  assert.equal(settings.region, 'eu');
});

test('what this server has not is said, as an error the SDK shows', async () => {
  for (const call of [
    () => collect(hms.recordings.list()), () => hms.recordings.retrieve('66d1f0a2b3c4d5e6f7081920'),
    () => collect(hms.recordingAssets.list()), () => hms.liveStreams.stop('66d1f0a2b3c4d5e6f7081920'),
    () => collect(hms.externalStreams.list()),
  ]) {
    await assert.rejects(call(), (error) => error.code === 501 && error.message === 'not implemented');
  }
});

test('a wrong secret is a 401 after the one retry', async () => {
  const stranger = new HMS.SDK(keys.accessKey, 'not the secret of this workspace');
  stranger.api.axios.defaults.baseURL = `${server.api}/v2`;
  await assert.rejects(stranger.rooms.create(), (error) => error.code === 401);
});

// §10.2 method 4: no change of the app; axios sends the whole URL in the request line, unencrypted.
test('by HTTPS_PROXY, without a change in the app', async () => {
  const app = `
    const { SDK } = require('@100mslive/server-sdk');
    new SDK(process.env.KEY, process.env.SECRET).rooms.create({ name: 'by-proxy' })
      .then((room) => console.log(room.id), (error) => { console.error(error); process.exit(1); });`;
  const env = { PATH: process.env.PATH, KEY: keys.accessKey, SECRET: keys.secret, HTTPS_PROXY: server.api };
  const out = await new Promise((done, failed) =>
    execFile(process.execPath, ['-e', app], { cwd: here, env, timeout: 20_000 }, (error, stdout, stderr) => (error ? failed(new Error(stderr)) : done(stdout.trim().split('\n').at(-1)))));
  assert.equal((await hms.rooms.retrieveByName('by-proxy')).id, out);
});
