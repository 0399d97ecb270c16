// kill -9 in the middle of a visit: whoever comes back is the same peer on a new media node, and no webhook is lost.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, test } from 'node:test';
import { Server, until } from '../browser/support/server.mjs';
import { Client, Receiver, signature } from './support.mjs';

let server, receiver;
before(async () => {
  receiver = await Receiver.start();
  server = await Server.start();
});
after(async () => {
  await server?.dispose();
  await receiver?.stop();
});

const rest = async (method, path, body) => {
  const answer = await fetch(`${server.api}/v2${path}`, {
    method,
    headers: { authorization: `Bearer ${await server.managementToken()}`, 'content-type': 'application/json' },
    body: body && JSON.stringify(body),
  });
  assert.equal(answer.status, 200, await answer.clone().text());
  return answer.json();
};

test('after kill -9 the visit goes on', async (t) => {
  const [{ secret }] = JSON.parse(await server.cli('workspace', '--show-secret', '--json')).data;
  const room = await rest('POST', '/rooms', { name: 'killed', webhook: { url: receiver.url } });
  const client = async (role, name) => new Client(server.api, await server.appToken(room.id, role, `u-${name}`), randomUUID());
  const ana = await client('host', 'ana');
  const ben = await client('guest', 'ben');
  receiver.status = 500;  // nothing is delivered before the end of the process
  const first = await ana.join('Ana');
  await ben.join('Ben');
  await ben.request('group-join', { name: '_handraise' });
  await ana.request('set-metadata', { key: 'spotlight', data: ben.peer });
  const before = await rest('GET', `/active-rooms/${room.id}`);
  await until('an attempt at the receiver', () => receiver.got.length > 0);

  await server.stop('SIGKILL');
  receiver.status = 200;
  const down = Date.now();
  await server.boot();
  await ana.connect();
  const node = await ana.heard('node-info');
  assert.notEqual(node.sfu_node_id, first.sfu_node_id);
  assert.equal(ana.news[0].method, 'on-policy-change');
  const list = await ana.heard('peer-list');
  assert.deepEqual(list.peers[ben.peer].groups, ['_handraise']);
  assert.equal((await ana.request('get-metadata', { key: 'spotlight' })).data, ben.peer);
  await ben.connect();
  await ben.heard('node-info');
  t.diagnostic(`kill -9 to both back: ${Date.now() - down} ms`);
  const now = await rest('GET', `/active-rooms/${room.id}`);
  assert.equal(now.session.id, before.session.id);
  assert.deepEqual(now.session.peers.sort(), [ana.peer, ben.peer].sort());
  assert.ok(!ana.news.some((frame) => frame.method === 'on-peer-leave'), 'nobody is told that anybody left');

  await rest('POST', `/active-rooms/${room.id}/end-room`, { reason: 'over' });
  const events = await until(
    'every webhook',
    () => receiver.accepted().some((one) => one.event.type === 'session.close.success') && receiver.accepted(),
    { timeout: 25_000 },
  );
  assert.deepEqual(events.map((one) => one.event.type), [
    'session.open.success', 'peer.join.success', 'peer.join.success', 'room.end.success', 'peer.leave.success',
    'peer.leave.success', 'session.close.success',
  ]);
  assert.equal(receiver.got[0].body, events[0].body, 'the refused one came again, byte for byte');
  for (const one of events) assert.equal(one.headers['x-100ms-signature'], signature(secret, one.body));
});
