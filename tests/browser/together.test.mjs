// What people do with each other in a visit, and what the console says about it meanwhile.
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { Server, root, until } from './support/server.mjs';
import { foreignHosts, inbound, launch, person, remotePictures, tab } from './support/browser.mjs';
import { inRoom, joinThroughLobby, remoteCount, rowSays, say, ui, withRemotes } from './support/web_app.mjs';

let server, clinic, home, desk, host, patient, appointment, link;
const everybody = [];
const pictures = path.join(root, 'build/test/browser');
const shot = (who, name) => who.page.screenshot({ path: path.join(pictures, `${name}.png`) });

before(async () => {
  [server, clinic, home] = await Promise.all([Server.start(), launch(), launch()]);
  await mkdir(pictures, { recursive: true });
  desk = await person(clinic, 'desk');
  host = await person(clinic, 'host', { viewport: { width: 1280, height: 800 } });
  // A phone of the smallest size.
  patient = await person(home, 'patient', { viewport: { width: 320, height: 640 }, hasTouch: true, colorScheme: 'dark' });
  everybody.push(desk, host, patient);
});
after(async () => {
  await clinic?.close();
  await home?.close();
  await server?.dispose();
});

test('the front desk makes the link of an appointment', async () => {
  await desk.page.goto(server.web);
  const row = desk.page.locator(ui.appointment).first();
  appointment = await row.getAttribute('data-appointment');
  await rowSays(desk, appointment, 'Booked');
  await row.click();
  await desk.page.locator(ui.createLink).click();
  link = await desk.page.locator(ui.patientLink).inputValue();
  await shot(desk, 'drawer');
  await desk.page.locator(ui.drawerClose).click();
  await rowSays(desk, appointment, 'Link ready');
});

test('the patient is first: the console says who waits', async () => {
  await patient.page.goto(link);
  await patient.page.locator(ui.previewVideo).waitFor();
  await shot(patient, 'lobby-320');
  await patient.page.locator(ui.lobbyName).fill('Rosa Lindqvist');
  await patient.page.locator(ui.lobbyJoin).click();
  await inRoom(patient);
  await rowSays(desk, appointment, 'Patient is waiting');
  await shot(patient, 'alone-320');
  await shot(desk, 'console');
});

test('the clinician comes: in visit', async () => {
  const title = await patient.page.title();
  await patient.page.evaluate(() => Object.defineProperty(document, 'hidden', { value: true, configurable: true }));
  await host.page.goto(server.web);
  await host.page.locator(`${ui.appointment}[data-appointment="${appointment}"]`).click();
  await host.page.locator(ui.startCall).click();
  await inRoom(host);
  await Promise.all([withRemotes(host, 1), withRemotes(patient, 1)]);
  await rowSays(desk, appointment, 'In visit');
  for (const who of [host, patient]) await until(`${who.name} decodes`, async () => (await inbound(who)).framesDecoded > 20);
  assert.match(await patient.page.title(), /^● .+ joined$/, 'the title of a tab in the background tells who came');
  assert.ok((await patient.page.evaluate(() => window.__televisit.played.tones)) > 0, 'and a sound does');
  assert.equal(await host.page.evaluate(() => window.__televisit.played.tones), 0, 'no sound for those who were there before');
  await patient.page.evaluate(() => {
    delete document.hidden;
    document.dispatchEvent(new Event('visibilitychange'));
  });
  assert.equal(await patient.page.title(), title);
  await shot(patient, 'visit-320');
  await shot(host, 'visit');
});

test('chat both ways, with a badge for what was not read', async () => {
  await say(patient, 'Good morning, can you hear me?');
  await host.page.locator(ui.chatBadge, { hasText: '1' }).waitFor();
  await say(patient, 'My knee is better.');
  await host.page.locator(ui.chatBadge, { hasText: '2' }).waitFor();
  await host.page.locator(ui.chat).click();
  await host.page.locator(ui.chatMessage, { hasText: 'My knee is better.' }).waitFor();
  await host.page.locator(ui.chatBadge).waitFor({ state: 'detached' });
  await say(host, 'Good to hear.');
  await patient.page.locator(ui.chatMessage, { hasText: 'Good to hear.' }).waitFor();
  for (const who of [host, patient]) assert.equal(await who.page.locator(ui.chatMessage).count(), 3, who.name);
  await shot(patient, 'chat-320');
  await shot(host, 'chat');
  await patient.page.locator('[data-testid="chat-panel-close"]').click();
  await host.page.locator('[data-testid="chat-panel-close"]').click();
});

test('a raised hand is seen by the other, and lowered', async () => {
  await patient.page.locator(ui.hand).click();
  const seen = host.page.locator(`${ui.tileRemote} ${ui.tileHand}`);
  await seen.waitFor();
  await patient.page.locator(ui.hand).click();
  await seen.waitFor({ state: 'detached' });
});

test('the keyboard: shortcuts act, a list names them, a dialog takes all keys', async () => {
  const tile = patient.page.locator(ui.tileRemote);
  for (const state of ['off', 'on']) {
    await host.page.keyboard.press('Alt+KeyA');
    await until(`the microphone is ${state}`, async () => (await tile.getAttribute('data-audio')) === state);
  }
  await host.page.keyboard.press('Alt+KeyH');
  await host.page.locator(ui.chatInput).fill('a');
  await host.page.locator(ui.chatInput).press('a');
  assert.equal(await host.page.locator(ui.mic).getAttribute('data-state'), 'on', 'typing is no shortcut');
  await host.page.locator(ui.chatInput).fill('');
  await host.page.keyboard.press('Alt+KeyH');
  await host.page.locator(ui.chatInput).waitFor({ state: 'detached' });
  await host.page.locator(ui.settings).click();
  await host.page.locator(ui.helpOpen).click();
  await host.page.locator(ui.help).waitFor();
  await shot(host, 'shortcuts');
  await host.page.keyboard.press('Alt+KeyA');
  await host.page.keyboard.press('Escape');
  await host.page.locator(ui.help).waitFor({ state: 'detached' });
  assert.equal(await host.page.locator(ui.mic).getAttribute('data-state'), 'on');
  await host.page.keyboard.press('Alt+Slash');
  await host.page.locator(ui.help).waitFor();
  await host.page.keyboard.press('Escape');
  await host.page.locator(ui.help).waitFor({ state: 'detached' });
});

test('side by side: the own picture is as large as the other, and back', async () => {
  const width = async (tile) => (await host.page.locator(tile).boundingBox()).width;
  assert.ok((await width(ui.tileSelf)) < (await width(ui.tileRemote)) / 2);
  await host.page.locator(ui.layout).click();
  await until('both are as wide', async () => Math.abs((await width(ui.tileSelf)) - (await width(ui.tileRemote))) < 2);
  await until('both are drawn', async () => host.page.locator(`${ui.tileSelf} video`).evaluate((video) => video.videoWidth > 0));
  await shot(host, 'side-by-side');
  await host.page.keyboard.press('Alt+KeyL');
  await until('small again', async () => (await width(ui.tileSelf)) < (await width(ui.tileRemote)) / 2);
});

test('a shared screen is seen by the other, and goes away', async () => {
  await host.page.locator(ui.screen).click();
  await host.page.locator(ui.sharing).waitFor();
  await patient.page.locator(ui.tileScreen).waitFor();
  await until('the picture of the screen', async () => patient.page.locator(ui.screenVideo).evaluate((video) => video.videoWidth >= 320));
  await until('both pictures are drawn', async () => (await remotePictures(patient)).filter((p) => p.spread > 8).length === 2);
  await shot(patient, 'screen-320');
  await shot(host, 'sharing');
  await host.page.locator(ui.screen).click();
  await patient.page.locator(ui.tileScreen).waitFor({ state: 'detached' });
  await host.page.locator(ui.sharing).waitFor({ state: 'detached' });
});

test('a third person joins with the same link', async () => {
  const daughter = await person(home, 'daughter');
  everybody.push(daughter);
  await joinThroughLobby(daughter, link, 'Ines Lindqvist');
  await Promise.all([host, patient, daughter].map((who) => withRemotes(who, 2)));
  await until('the daughter sees both', async () => (await remotePictures(daughter)).filter((p) => p.mean > 16).length === 2, { timeout: 15_000 });
  await shot(host, 'three');
  await shot(patient, 'three-320');
  await daughter.page.locator(ui.leave).click();
  await daughter.page.locator(ui.left).waitFor();
  await Promise.all([withRemotes(host, 1), withRemotes(patient, 1)]);
});

test('the same link in a second tab: both tabs work, closing one leaves the other in the visit', async () => {
  const second = await tab(patient.context, 'second tab');
  everybody.push(second);
  await second.page.goto(link);
  await second.page.locator(ui.lobby).waitFor();
  assert.equal(await second.page.locator(ui.lobbyName).inputValue(), 'Rosa Lindqvist', 'the name is remembered');
  await second.page.locator(ui.lobbyJoin).click();
  await inRoom(second);
  await withRemotes(host, 2);
  await second.page.close();
  await withRemotes(host, 1);
  const { framesDecoded } = await inbound(patient);
  await until('the first tab goes on', async () => (await inbound(patient)).framesDecoded > framesDecoded + 20);
  assert.equal(await remoteCount(patient), 1);
});

test('leave and join again', async () => {
  await patient.page.locator(ui.leave).click();
  await patient.page.locator(ui.left).waitFor();
  await shot(patient, 'left-320');
  await withRemotes(host, 0);
  await patient.page.locator(ui.rejoin).click();
  await patient.page.locator(ui.lobbyJoin).click();
  await inRoom(patient);
  await Promise.all([withRemotes(host, 1), withRemotes(patient, 1)]);
  await until('the picture is back', async () => (await inbound(host)).framesDecoded > 20 && (await remotePictures(host)).some((p) => p.mean > 16));
});

test('end for all: both read that the visit is over, the console says done, the link says so at once', async () => {
  await host.page.locator(ui.end).click();
  await shot(host, 'end-confirm');
  await host.page.locator(ui.endConfirm).click();
  for (const who of [host, patient]) await who.page.locator(ui.over).waitFor();
  await rowSays(desk, appointment, 'Done');
  await shot(patient, 'over-320');
  await patient.page.goto(link);
  await patient.page.locator(ui.closed).waitFor();
  assert.match(await patient.page.locator('h1').innerText(), /this visit is over/i);
  assert.equal(await patient.page.locator(ui.lobbyJoin).count(), 0);
  await shot(patient, 'closed-320');
});

test('no request left the machine, no page had an uncaught error', () => {
  assert.deepEqual(everybody.flatMap(foreignHosts), []);
  assert.deepEqual(everybody.flatMap((who) => who.errors.map((error) => `${who.name}: ${error}`)), []);
});
