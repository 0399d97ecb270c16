// What goes wrong in a visit, and how it is well again by itself: pages of the web app, not of a bare SDK.
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { Server, root, sleep, until } from './support/server.mjs';
import { inbound, launch, person, remotePictures, socketCount } from './support/browser.mjs';
import { Relay } from './support/proxy.mjs';
import { inRoom, joinThroughLobby, startFromConsole, ui, withRemotes } from './support/web_app.mjs';

let server, relay, clinic, home, host, patient, link;
const pictures = path.join(root, 'build/test/browser');
const shot = (who, name) => who.page.screenshot({ path: path.join(pictures, `${name}.png`) });

before(async () => {
  relay = await Relay.open();
  [server, clinic, home] = await Promise.all([Server.start({ relay }), launch(), launch()]);
  await mkdir(pictures, { recursive: true });
  host = await person(clinic, 'host', { viewport: { width: 1280, height: 800 } });
  patient = await person(home, 'patient');
  link = await startFromConsole(host, server.web);
  await joinThroughLobby(patient, link, 'Rosa Lindqvist');
  await Promise.all([withRemotes(host, 1), withRemotes(patient, 1)]);
  for (const who of [host, patient]) await seesAndHears(who, await growth(who));
});
after(async () => {
  await clinic?.close();
  await home?.close();
  await server?.dispose();
  relay?.close();
});

// Frames decoded and sound heard since now; connections that are replaced meanwhile take their old counts with them.
async function growth(who) {
  let last = await inbound(who);
  const sum = { frames: 0, sound: 0 };
  return async () => {
    const now = await inbound(who);
    const since = (name) => (now[name] >= last[name] ? now[name] - last[name] : now[name]);
    sum.frames += since('framesDecoded');
    sum.sound += since('audioEnergy');
    last = now;
    return sum;
  };
}

const seesAndHears = (who, grown, timeout = 10_000) =>
  until(
    `${who.name} sees and hears the other`,
    async () => {
      const { frames, sound } = await grown();
      const drawn = (await remotePictures(who)).filter((p) => p.mean > 16 && p.spread > 16).length;
      const connection = await who.page.locator(ui.room).getAttribute('data-connection', { timeout: 500 });
      if (connection !== 'connected' || frames <= 10 || sound <= 0.005 || drawn < 1) throw new Error(JSON.stringify({ connection, frames, sound, drawn }));
      return true;
    },
    { timeout },
  );

const micOf = (who) => who.page.locator(ui.mic).getAttribute('data-state');

test('the clinician reloads the page: back in the visit without a question', async () => {
  await host.page.reload();
  await inRoom(host);
  assert.equal(await host.page.locator(ui.room).getAttribute('data-role'), 'host');
  for (const who of [host, patient]) {
    await withRemotes(who, 1);
    await seesAndHears(who, await growth(who));
  }
  assert.equal(await host.page.locator(ui.end).count(), 1, 'still the one who may end the visit');
});

test('a mute holds over a lost socket and over a reload', async () => {
  await patient.page.locator(ui.mic).click();
  const tile = host.page.locator(ui.tileRemote);
  await until('the clinician sees it', async () => (await tile.getAttribute('data-audio')) === 'off');
  const sockets = await socketCount(patient);
  assert.ok(relay.cutWebSockets() >= 2);
  await until('new sockets', async () => (await socketCount(patient)) > sockets);
  for (const who of [host, patient]) await inRoom(who);
  assert.equal(await micOf(patient), 'off');
  await patient.page.reload();
  await inRoom(patient);
  await withRemotes(host, 1);
  await until('the clinician sees the patient again, muted', async () => (await tile.getAttribute('data-video')) === 'on' && (await tile.getAttribute('data-audio')) === 'off');
  assert.equal(await micOf(patient), 'off');
  await patient.page.locator(ui.mic).click();
  await until('un-muted by the own click', async () => (await tile.getAttribute('data-audio')) === 'on');
});

test('the server is stopped and started: both pages say so and are back by themselves within 10 s', { timeout: 90_000 }, async () => {
  const grown = await Promise.all([host, patient].map(growth));
  await server.stop('SIGKILL');
  for (const who of [host, patient]) await who.page.locator(ui.reconnecting).waitFor();
  await shot(patient, 'reconnecting');
  await server.boot();
  const began = Date.now();
  await Promise.all([host, patient].map((who, i) => seesAndHears(who, grown[i], Math.max(0, began + 10_000 - Date.now()))));
  for (const who of [host, patient]) await withRemotes(who, 1);
});

test('the network is away for 20 s: the page says so and comes back by itself', { timeout: 90_000 }, async () => {
  await patient.context.setOffline(true);
  await patient.page.locator(ui.reconnecting).waitFor({ timeout: 25_000 });
  await sleep(20_000); // the outage itself
  assert.equal(await patient.page.locator(ui.room).count(), 1, 'still in the visit');
  await shot(patient, 'offline');
  const grown = await Promise.all([host, patient].map(growth));
  await patient.context.setOffline(false);
  await Promise.all([host, patient].map((who, i) => seesAndHears(who, grown[i])));
  await patient.page.locator(ui.reconnecting).waitFor({ state: 'detached' });
});

for (const [what, how, heading] of [
  ['blocked by the browser', { ask: false }, /blocked/i],
  ['missing', { devices: false }, /No camera was found/i],
]) {
  test(`camera and microphone ${what}: said in the lobby, and joining works without them`, { timeout: 60_000 }, async (t) => {
    const browser = await launch(how);
    try {
      const guest = await person(browser, 'guest', { permissions: [], viewport: { width: 390, height: 800 } });
      await guest.page.goto(link);
      const own = await guest.page.evaluate(async () => (await navigator.mediaDevices.enumerateDevices()).length);
      if (how.devices === false && own > 0) return t.skip('this machine has a camera or a microphone of its own');
      await guest.page.locator(ui.cameraFault).waitFor();
      await guest.page.locator(ui.microphoneFault).waitFor();
      assert.match(await guest.page.locator(ui.cameraFault).innerText(), heading);
      assert.match(await guest.page.locator(ui.lobbyJoin).innerText(), /without camera and microphone/i);
      await guest.page.locator(ui.lobbyName).fill('Uma Without');
      await shot(guest, `devices-${what.split(' ')[0]}-lobby`);
      const grown = await growth(guest);
      await guest.page.locator(ui.lobbyJoin).click();
      await inRoom(guest);
      await withRemotes(host, 2);
      await seesAndHears(guest, grown, 15_000);
      assert.equal(await guest.page.locator(ui.mic).getAttribute('data-state'), 'off');
      assert.equal(await guest.page.locator(ui.camera).getAttribute('data-state'), 'off');
      await shot(guest, `devices-${what.split(' ')[0]}-visit`);
      await guest.page.locator(ui.camera).click();
      await guest.page.locator(ui.deviceFault).waitFor();
      assert.match(await guest.page.locator(ui.deviceFault).innerText(), heading);
      assert.equal(await guest.page.locator(ui.camera).getAttribute('data-state'), 'off');
      await guest.page.locator(ui.leave).click();
      await withRemotes(host, 1);
    } finally {
      await browser.close();
    }
    return undefined;
  });
}

test('the link of a cancelled visit and of one nobody came to say so at once', async () => {
  const made = async () => (await server.call('POST', '/api/virtual-meetings/instant', { json: {} })).body;
  const someone = await person(home, 'someone');
  for (const [how, json, words] of [
    ['cancel', { reasonCode: 'patient' }, /cancelled/i],
    ['no-show', { who: 'patient' }, /did not take place/i],
    ['end', {}, /cancelled|over/i],
  ]) {
    const visit = await made();
    const answer = await server.call('POST', `/api/virtual-meetings/${visit.id}/${how}`, { json });
    assert.ok(answer.status < 300, `${how}: ${answer.text}`);
    await someone.page.goto(visit.publicLink);
    await someone.page.locator(ui.closed).waitFor();
    assert.match(await someone.page.locator('h1').innerText(), words);
  }
  await someone.context.close();
});

test('no page had an uncaught error', () => {
  assert.deepEqual([host, patient].flatMap((who) => who.errors.map((error) => `${who.name}: ${error}`)), []);
});
