// Takes the pictures of docs/screens from a real visit: two browsers, drawn faces as cameras, the program as it is.
import { mkdir, mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Server, root, sleep, until } from './support/server.mjs';
import { inbound, launch, person } from './support/browser.mjs';
import { joinThroughLobby, startFromConsole, ui, withRemotes } from './support/web_app.mjs';

const face = ({ wall, shirt, skin, hair, extra = '' }) => `<body style="margin:0"><svg xmlns="http://www.w3.org/2000/svg" width="1280" height="720" viewBox="0 0 1280 720">
  <rect width="1280" height="720" fill="${wall}"/><rect x="60" y="70" width="250" height="330" rx="6" fill="#ffffff55"/><rect x="980" y="120" width="220" height="14" fill="#0003"/>
  <rect x="1000" y="60" width="26" height="60" fill="#0002"/><rect x="1034" y="40" width="30" height="80" fill="#fff6"/><rect x="1074" y="66" width="40" height="54" fill="#0002"/>
  <path d="M300 720c20-190 150-250 340-250s320 60 340 250z" fill="${shirt}"/><rect x="580" y="400" width="120" height="120" rx="50" fill="${skin}"/>
  <ellipse cx="640" cy="270" rx="190" ry="200" fill="${hair}"/><ellipse cx="640" cy="310" rx="145" ry="175" fill="${skin}"/>
  <path d="M495 270c20-120 270-120 290 0-60-60-90-50-145-50s-90-10-145 50z" fill="${hair}"/>
  <circle cx="585" cy="305" r="13" fill="#2b2320"/><circle cx="695" cy="305" r="13" fill="#2b2320"/><path d="M590 395q50 42 100 0" stroke="#9c4a41" stroke-width="9" fill="none" stroke-linecap="round"/>${extra}</svg>`;

async function camera(look) {
  const browser = await launch();
  const page = await browser.newPage({ viewport: { width: 1280, height: 720 } });
  await page.setContent(face(look));
  const frame = await page.screenshot({ type: 'jpeg', quality: 90 });
  await browser.close();
  const file = path.join(await mkdtemp(path.join(tmpdir(), 'televisit-camera-')), 'camera.mjpeg');
  await writeFile(file, Buffer.concat(Array(20).fill(frame)));
  return file;
}

const screens = path.join(root, 'docs/screens');
await mkdir(screens, { recursive: true });
const doctor = await camera({ wall: '#cfdde0', shirt: '#f4f7f8', skin: '#d9a583', hair: '#5a3b2a', extra: '<path d="M520 520q20 120 60 130M760 520q-20 120-60 130" stroke="#33475b" stroke-width="12" fill="none"/>' });
const patient = await camera({ wall: '#e9dcc3', shirt: '#3e6d8c', skin: '#8d5a3b', hair: '#1f1a18' });
const [server, one, two] = await Promise.all([Server.start(), launch({ camera: doctor }), launch({ camera: patient })]);
const host = await person(one, 'host', { viewport: { width: 1280, height: 800 } });
const guest = await person(two, 'guest', { viewport: { width: 1280, height: 800 } });
await host.page.goto(server.web);
await host.page.locator(ui.appointment).first().waitFor();
await host.page.screenshot({ path: path.join(screens, 'console.png') });
const link = await startFromConsole(host, server.web);
await joinThroughLobby(guest, link, 'Rosa Lindqvist');
for (const who of [host, guest]) {
  await withRemotes(who, 1);
  await until(`${who.name} decodes`, async () => (await inbound(who)).framesDecoded > 60, { timeout: 20_000 });
}
await host.page.locator(ui.chat).click();
await guest.page.locator(ui.chat).click();
await guest.page.locator(ui.chatInput).fill('The swelling is down since Tuesday.');
await guest.page.locator(ui.chatSend).click();
await host.page.locator(ui.chatMessage).waitFor();
await sleep(4000); // the publisher's bit rate ramps up
await host.page.screenshot({ path: path.join(screens, 'visit.png') });
await one.close();
await two.close();
await server.dispose();
