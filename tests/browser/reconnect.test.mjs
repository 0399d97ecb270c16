// A lost socket costs nothing visible; a restarted server costs seconds.
import { after, afterEach, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { Server, until } from './support/server.mjs';
import { inbound, launch, person, received, remotePictures, socketCount } from './support/browser.mjs';
import { Relay } from './support/proxy.mjs';
import { createRoom, joinWithSdk, serveSdkPage, state } from './support/sdk_page.mjs';

let page, browser, server, relay, people;

before(async () => ([page, browser] = await Promise.all([serveSdkPage(), launch()])));
after(async () => {
  await browser?.close();
  await page?.close();
});
afterEach(async () => {
  for (const who of people ?? []) await who.context.close();
  await server?.dispose();
  relay?.close();
  people = server = relay = undefined;
});

async function twoInARoom() {
  const room = await createRoom(server, 'reconnect');
  people = [await person(browser, 'Ana'), await person(browser, 'Ben')];
  const [ana, ben] = people;
  assert.equal(await joinWithSdk(ana, page, server, await server.appToken(room.id, 'host', 'u-ana')), null);
  assert.equal(await joinWithSdk(ben, page, server, await server.appToken(room.id, 'guest', 'u-ben')), null);
  for (const who of people) await until(`${who.name} decodes`, async () => (await inbound(who)).framesDecoded > 20, { timeout: 15_000 });
  return people;
}

test('a killed WebSocket: video keeps flowing and nobody is announced as gone', { timeout: 90_000 }, async () => {
  relay = await Relay.open();
  server = await Server.start({ relay });
  const [ana, ben] = await twoInARoom();
  for (let round = 1; round <= 3; round++) {
    const sockets = await socketCount(ana);
    const frames = await Promise.all(people.map(inbound));
    relay.refusing = true;
    relay.cutWebSockets();
    await until('Ana notices', async () => (await state(ana)).room === 'Reconnecting');
    const during = await Promise.all(people.map(inbound));
    for (const [i, who] of people.entries())
      await until(`round ${round}: ${who.name} decodes without a socket`, async () => (await inbound(who)).framesDecoded > during[i].framesDecoded + 10, { timeout: 5000 });
    relay.refusing = false;
    await until('Ana is back', async () => (await socketCount(ana)) > sockets && (await state(ana)).room === 'Connected', { timeout: 15_000 });
    await until('Ben is back', async () => (await state(ben)).room === 'Connected', { timeout: 15_000 });
    for (const [i, who] of people.entries()) assert.ok((await inbound(who)).framesDecoded > frames[i].framesDecoded + 10);
  }
  for (const who of people) {
    assert.deepEqual(await received(who, 'on-peer-leave'), [], `${who.name} was told that somebody left`);
    assert.equal((await state(who)).peers.length, 2);
  }
});

// Frames decoded since `first`; connections that were replaced meanwhile take their old frames with them.
function newFrames(first) {
  let last = first.framesDecoded, sum = 0;
  return ({ framesDecoded }) => {
    sum += framesDecoded >= last ? framesDecoded - last : framesDecoded;
    last = framesDecoded;
    return sum;
  };
}

for (const signal of ['SIGTERM', 'SIGKILL']) {
  test(`the server is stopped with ${signal} and started again: both are back by themselves within 10 s`, { timeout: 90_000 }, async () => {
    server = await Server.start();
    const [ana, ben] = await twoInARoom();
    await server.stop(signal);
    await server.boot();
    const began = Date.now();
    for (const who of [ana, ben]) {
      const fresh = newFrames(await inbound(who));
      await until(
        `${who.name} is connected and decodes the other again`,
        async () => {
          const now = await state(who);
          return fresh(await inbound(who)) > 10 && now.room === 'Connected' && now.peers.length === 2 && (await remotePictures(who)).some((p) => p.mean > 16);
        },
        { timeout: Math.max(0, 10_000 - (Date.now() - began)) },
      );
    }
  });
}
