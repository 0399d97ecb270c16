// What the newcomer does: console, Start video call, a second browser through the link, and both see and hear each other.
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { Server, root, sleep, until } from './support/server.mjs';
import { foreignHosts, inbound, launch, person, remotePictures } from './support/browser.mjs';
import { inRoom, joinThroughLobby, startFromConsole, ui, withRemotes } from './support/web_app.mjs';

let server, hostBrowser, patientBrowser, host, patient, link;
const pictures = path.join(root, 'build/test/browser');

before(async () => {
  // Two programs, as in life: two processes that share nothing but the server.
  [server, hostBrowser, patientBrowser] = await Promise.all([Server.start(), launch(), launch()]);
  host = await person(hostBrowser, 'host', { viewport: { width: 1280, height: 800 } });
  patient = await person(patientBrowser, 'patient');
  await mkdir(pictures, { recursive: true });
});
after(async () => {
  await hostBrowser?.close();
  await patientBrowser?.close();
  await server?.dispose();
});

test('the clinician starts the visit of an appointment from the console', async () => {
  link = await startFromConsole(host, server.web);
  assert.match(link, /\/meeting\/[A-Z2-9]{5}-?[A-Z2-9]{5}$/);
});

test('the patient comes through the link and the lobby', async () => {
  await joinThroughLobby(patient, link, 'Rosa Lindqvist');
  await withRemotes(host, 1);
  await withRemotes(patient, 1);
  await host.page.locator(ui.tileRemote, { hasText: 'Rosa Lindqvist' }).waitFor();
});

test('after 5 s both decode more than 40 frames of the other, not black, and hear sound', async () => {
  await sleep(5000);
  for (const who of [host, patient]) {
    const first = await inbound(who);
    assert.ok(first.framesDecoded > 40, `${who.name}: ${first.framesDecoded} frames`);
    const seen = await remotePictures(who);
    assert.equal(seen.length, 1, `${who.name}: remote pictures`);
    assert.ok(seen[0].mean > 16 && seen[0].spread > 16, `${who.name}: black or flat: ${JSON.stringify(seen[0])}`);
    assert.ok(seen[0].width >= 320, `${who.name}: ${seen[0].width} pixels wide`);
    await until(`${who.name}: sound`, async () => (await inbound(who)).audioEnergy > first.audioEnergy + 0.01);
  }
  await host.page.screenshot({ path: path.join(pictures, 'visit-host.png') });
  await patient.page.screenshot({ path: path.join(pictures, 'visit-patient.png') });
});

test("the browser console has the SDK's line", () => {
  for (const who of [host, patient]) assert.ok(who.console.some((line) => line.includes('Joined room')), who.console.slice(-20).join('\n'));
});

test('mute and camera off are shown to the other as they are', async () => {
  const tile = host.page.locator(ui.tileRemote);
  for (const [control, mark] of [[ui.mic, 'data-audio'], [ui.camera, 'data-video']]) {
    await patient.page.locator(control).click();
    await until(`${mark} off`, async () => (await tile.getAttribute(mark)) === 'off');
    assert.equal(await patient.page.locator(control).getAttribute('data-state'), 'off');
    await patient.page.locator(control).click();
    await until(`${mark} on`, async () => (await tile.getAttribute(mark)) === 'on');
  }
  const { framesDecoded } = await inbound(host);
  await until('the picture runs again', async () => (await inbound(host)).framesDecoded > framesDecoded + 20);
});

test('chat arrives once on each side', async () => {
  for (const who of [host, patient]) await who.page.locator(ui.chat).click();
  await host.page.locator(ui.chatInput).fill('How is the knee today?');
  await host.page.locator(ui.chatSend).click();
  for (const who of [host, patient]) {
    await who.page.locator(ui.chatMessage, { hasText: 'How is the knee today?' }).waitFor();
    assert.equal(await who.page.locator(ui.chatMessage).count(), 1);
  }
});

test('a reload comes back into the visit without a second lobby', async () => {
  await patient.page.reload();
  await inRoom(patient);
  await until('frames after the reload', async () => (await inbound(patient)).framesDecoded > 20);
  await withRemotes(host, 1);
});

test('what was switched off in the lobby stays off in the visit', async () => {
  const late = await person(patientBrowser, 'late');
  await joinThroughLobby(late, link, 'Uma Second', { microphone: false, camera: false });
  await withRemotes(host, 2);
  const tile = host.page.locator(ui.tileRemote, { hasText: 'Uma Second' });
  await sleep(2000);
  assert.equal(await tile.getAttribute('data-audio'), 'off');
  assert.equal(await tile.getAttribute('data-video'), 'off');
  assert.equal(await late.page.locator(ui.mic).getAttribute('data-state'), 'off');
  await late.page.locator(ui.leave).click();
  await withRemotes(host, 1);
  assert.deepEqual(foreignHosts(late), []);
  await late.context.close();
});

test('end for all: both are out, the link says so', async () => {
  await host.page.locator(ui.end).click();
  await host.page.locator(ui.endConfirm).click();
  for (const who of [host, patient]) await until(`${who.name} is out of the room`, async () => (await who.page.locator(ui.room).count()) === 0);
  const again = await person(patientBrowser, 'again');
  await again.page.goto(link);
  await until('the page says why', async () => /over|ended|closed/i.test(await again.page.locator('body').innerText()));
  assert.equal(await again.page.locator(ui.lobbyJoin).count(), 0);
  await again.context.close();
});

test('no request left the machine, no page had an uncaught error', () => {
  assert.deepEqual([...foreignHosts(host), ...foreignHosts(patient)], []);
  assert.deepEqual([...host.errors, ...patient.errors], []);
});
