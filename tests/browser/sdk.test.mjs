// The unmodified SDK on a customer's own page against the engine: what a team that moves from the cloud sees first.
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { Server, until } from './support/server.mjs';
import { foreignHosts, inbound, launch, person, remotePictures } from './support/browser.mjs';
import { createRoom, joinWithSdk, serveSdkPage, state } from './support/sdk_page.mjs';

let server, page, browser, ana, ben, room;
const peerNamed = async (who, name) => (await state(who)).peers.find((p) => p.name === name);

before(async () => {
  [server, page, browser] = await Promise.all([Server.start(), serveSdkPage(), launch()]);
  room = await createRoom(server, 'sdk-two-peers');
  ana = await person(browser, 'Ana');
  ben = await person(browser, 'Ben');
});
after(async () => {
  await browser?.close();
  await page?.close();
  await server?.dispose();
});

test('a management token makes a room with an id of 24 hex digits', () => assert.match(room.id, /^[0-9a-f]{24}$/));

test('two peers join and each sees and hears the other', async () => {
  const [host, guest] = await Promise.all([server.appToken(room.id, 'host', 'u-ana'), server.appToken(room.id, 'guest', 'u-ben')]);
  assert.equal(await joinWithSdk(ana, page, server, host), null);
  assert.equal(await joinWithSdk(ben, page, server, guest), null);
  for (const [who, other] of [[ana, 'Ben'], [ben, 'Ana']]) {
    await until(`${who.name} has ${other} with camera and microphone`, async () => {
      const peer = await peerNamed(who, other);
      return peer?.video === true && peer?.audio === true;
    });
    const first = await inbound(who);
    await until(`${who.name} decodes 40 frames and hears ${other}`, async () => {
      const now = await inbound(who);
      return now.framesDecoded - first.framesDecoded > 40 && now.audioEnergy > first.audioEnergy;
    });
    const [picture] = await until('a decoded picture', async () => {
      const pictures = await remotePictures(who);
      return pictures.length > 0 && pictures;
    });
    assert.ok(picture.mean > 16 && picture.spread > 16, `the picture is black or flat: ${JSON.stringify(picture)}`);
  }
  assert.equal((await peerNamed(ana, 'Ben')).user, 'u-ben');
  assert.equal((await peerNamed(ana, 'Ben')).role, 'guest');
  assert.ok(ana.console.some((line) => line.includes('Joined room')), "the SDK's 'Joined room' line");
});

test('chat reaches the other once and is not echoed to its sender', async () => {
  await ana.page.evaluate(() => window.peer.chat('how is the knee?'));
  await ben.page.evaluate(() => window.peer.chat('much better'));
  await until('both lines on both sides', async () => (await state(ana)).messages.length >= 2 && (await state(ben)).messages.length >= 2);
  for (const who of [ana, ben])
    assert.deepEqual((await state(who)).messages.map((m) => m.text).sort(), ['how is the knee?', 'much better']);
});

test('mute and camera off are seen by the other, and undone', async () => {
  for (const [action, field] of [['mute', 'audio'], ['camera', 'video']]) {
    const off = action === 'mute';
    await ben.page.evaluate(([name, value]) => window.peer[name](value), [action, off]);
    await until(`Ben's ${field} is off at Ana's`, async () => (await peerNamed(ana, 'Ben'))[field] === false);
    await ben.page.evaluate(([name, value]) => window.peer[name](value), [action, !off]);
    await until(`Ben's ${field} is on again at Ana's`, async () => (await peerNamed(ana, 'Ben'))[field] === true);
  }
});

test('a raised hand is seen by both, and lowered', async () => {
  const both = (raised) => async () => (await peerNamed(ana, 'Ben')).hand === raised && (await peerNamed(ben, 'Ben')).hand === raised;
  await ben.page.evaluate(() => window.peer.raise());
  await until('the hand is up on both sides', both(true));
  await ben.page.evaluate(() => window.peer.lower());
  await until('the hand is down on both sides', both(false));
});

test('a new name is seen by the other', async () => {
  await ben.page.evaluate(() => window.peer.rename('Ben B.'));
  await until('the new name', async () => (await peerNamed(ana, 'Ben B.')) !== undefined);
});

test('a third peer who comes late sees both', async () => {
  const late = await person(browser, 'Cleo');
  const token = await server.appToken(room.id, 'guest', 'u-cleo');
  assert.equal(await joinWithSdk(late, page, server, token), null);
  await until('two remote pictures', async () => (await remotePictures(late)).filter((p) => p.mean > 16).length === 2);
  await until('Cleo at Ana’s', async () => (await peerNamed(ana, 'Cleo'))?.video === true);
  await late.page.evaluate(() => window.peer.leave());
  await until('Cleo gone at Ana’s', async () => (await peerNamed(ana, 'Cleo')) === undefined);
  assert.deepEqual(foreignHosts(late), []);
  await late.context.close();
});

test('leave is seen at once, and one can come back', async () => {
  await ben.page.evaluate(() => window.peer.leave());
  await until('Ben gone at Ana’s', async () => (await state(ana)).peers.length === 1, { timeout: 3000 });
  assert.equal(await joinWithSdk(ben, page, server, await server.appToken(room.id, 'guest', 'u-ben')), null);
  await until('Ben decodes again', async () => (await inbound(ben)).framesDecoded > 20);
});

test('a guest cannot end the room; the host can, and everybody is out', async () => {
  await ben.page.evaluate(() => window.peer.endRoom(true, 'not mine to end').catch(() => {}));
  assert.equal((await state(ana)).connected, true);
  await until('Ana still has a room', async () => (await state(ana)).room === 'Connected');
  assert.equal(await joinWithSdk(ben, page, server, await server.appToken(room.id, 'guest', 'u-ben')), null);
  await until('Ben at Ana’s', async () => (await state(ana)).peers.some((p) => p.name === 'Ben'));
  await ana.page.evaluate(() => window.peer.endRoom(true, 'visit over'));
  for (const who of [ana, ben]) await until(`${who.name} is out`, async () => !(await state(who)).connected);
});

test('wrong tokens get the documented answer, never a silent hang', async () => {
  const good = await server.appToken(room.id, 'guest', 'u-x');
  const [head, payload] = good.split('.');
  const cases = [
    ['a foreign signature', `${head}.${payload}.c2lnbmVkLWJ5LXNvbWVib2R5LWVsc2U`],
    ['a room name used as id', await server.appToken('room_1700000000000', 'guest', 'u-x').catch(() => null)],
  ].filter(([, token]) => token);
  for (const [what, token] of cases) {
    const answer = await fetch(`${server.web}/init?peer_id=6d4a7e52-7c55-4a3a-9d6f-0d2f3a1b5c77`, {
      headers: { authorization: `Bearer ${token}`, origin: page.url.replace(/\/$/, '') },
    });
    assert.ok([400, 401, 403, 410].includes(answer.status), `${what}: ${answer.status}`);
    assert.ok(answer.headers.get('access-control-allow-origin'), `${what}: CORS header on the error`);
    const body = await answer.json();
    assert.equal(typeof body.code, 'number');
    assert.equal(typeof body.message, 'string');
  }
  const who = await person(browser, 'Mallory');
  const error = await Promise.race([joinWithSdk(who, page, server, cases[0][1]), new Promise((r) => setTimeout(r, 8000, 'hang'))]);
  assert.notEqual(error, 'hang');
  assert.equal(error.name, 'ServerErrors');
  await who.context.close();
});

test('no request left the machine', () => assert.deepEqual([...foreignHosts(ana), ...foreignHosts(ben)], []));
test('no uncaught error in a page', () => assert.deepEqual([...ana.errors, ...ben.errors], []));
