// Muted means not forwarded, whatever the publisher sends and however often its socket comes back.
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { Server, sleep, until } from './support/server.mjs';
import { inbound, launch, outbound, person, socketCount } from './support/browser.mjs';
import { Relay } from './support/proxy.mjs';
import { createRoom, joinWithSdk, serveSdkPage, state } from './support/sdk_page.mjs';

let server, page, browser, relay, ana, ben;

before(async () => {
  relay = await Relay.open();
  [server, page, browser] = await Promise.all([Server.start({ relay }), serveSdkPage(), launch()]);
  const room = await createRoom(server, 'mute');
  ana = await person(browser, 'Ana');
  ben = await person(browser, 'Ben');
  assert.equal(server.web, `http://localhost:${relay.port}`);
  assert.equal(await joinWithSdk(ana, page, server, await server.appToken(room.id, 'host', 'u-ana')), null);
  assert.equal(await joinWithSdk(ben, page, server, await server.appToken(room.id, 'guest', 'u-ben')), null);
  await until('Ben hears the tone', async () => (await inbound(ben)).audioEnergy > 0.01, { timeout: 15_000 });
});
after(async () => {
  await browser?.close();
  await page?.close();
  await server?.dispose();
  relay?.close();
});

test('0 audio packets are forwarded while muted, over 20 lost sockets', { timeout: 240_000 }, async () => {
  // Only Ana's microphone is of interest: Ben's stays off, so that every forwarded audio packet would be hers.
  await ben.page.evaluate(() => window.peer.mute(true));
  await ana.page.evaluate(() => window.peer.mute(true));
  await until('Ben sees Ana muted', async () => (await state(ben)).peers.find((p) => p.name === 'Ana')?.audio === false);
  await sleep(500);
  const forwarded = await server.metric('televisit_media_audio_forwarded_total');
  const heard = (await inbound(ben)).audioPackets;
  const sent = (await outbound(ana)).audioPackets;
  for (let round = 1; round <= 20; round++) {
    const before = await socketCount(ana);
    assert.ok(relay.cutWebSockets() > 0, `round ${round}: there was a socket to cut`);
    await until(`round ${round}: Ana is back`, async () => (await socketCount(ana)) > before && (await state(ana)).room === 'Connected', { timeout: 15_000 });
    assert.equal((await state(ana)).micOn, false, `round ${round}: the page un-muted itself`);
  }
  await sleep(1000);
  assert.equal((await server.metric('televisit_media_audio_forwarded_total')) - forwarded, 0, 'audio packets the server forwarded');
  assert.equal((await inbound(ben)).audioPackets - heard, 0, 'audio packets Ben received');
  assert.ok((await outbound(ana)).audioPackets > sent, 'Ana kept sending: the server is what held it back');
});

test('after un-muting the tone is heard again', async () => {
  const quiet = (await inbound(ben)).audioEnergy;
  await ana.page.evaluate(() => window.peer.mute(false));
  await until('Ben hears the tone', async () => (await inbound(ben)).audioEnergy > quiet + 0.01, { timeout: 15_000 });
});
