// Debian's Chromium with a camera and a microphone that are files, on a network that ends at localhost.
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';
import { toneFile } from './tone.mjs';

const hooks = await readFile(fileURLToPath(new URL('./page_hooks.js', import.meta.url)), 'utf8');

// camera: an MJPEG file to show instead of Chromium's green test picture. devices false: a machine without any, as long as it has
// none of its own. ask false: every question for a device is answered with no.
export async function launch({ headless = true, camera, devices = true, ask = true } = {}) {
  const tone = await toneFile();
  return chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    headless,
    args: [
      '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
      '--disable-component-update', '--disable-sync', '--disable-dev-shm-usage',
      '--disable-backgrounding-occluded-windows', '--disable-renderer-backgrounding', '--disable-background-timer-throttling',
      '--autoplay-policy=no-user-gesture-required',
      ...(ask ? ['--use-fake-ui-for-media-stream'] : []),
      ...(devices ? ['--use-fake-device-for-media-stream=fps=20', `--use-file-for-fake-audio-capture=${tone}`] : []),
      ...(camera ? [`--use-file-for-fake-video-capture=${camera}`] : []),
      '--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE localhost , EXCLUDE 127.0.0.1',
    ],
  });
}

// One person: a browser context of their own (cookies, storage), and a record of every host that was asked for anything.
export async function person(browser, name, { permissions = ['camera', 'microphone'], viewport = { width: 1000, height: 700 }, ...options } = {}) {
  const context = await browser.newContext({ viewport, permissions, ...options });
  await context.addInitScript(hooks);
  return tab(context, name);
}

// One more tab of a person: the same cookies and storage.
export async function tab(context, name) {
  const page = await context.newPage();
  const who = { name, context, page, console: [], errors: [], hosts: new Map() };
  const note = (url) => {
    const { protocol, host, hostname } = new URL(url);
    if (['data:', 'blob:', 'about:', 'chrome-error:'].includes(protocol)) return;
    who.hosts.set(host, { hostname, url });
  };
  page.on('console', (message) => who.console.push(message.text()));
  page.on('pageerror', (error) => who.errors.push(error.message));
  context.on('request', (request) => note(request.url()));
  page.on('websocket', (socket) => note(socket.url()));
  return who;
}

export const foreignHosts = (who) =>
  [...who.hosts.values()].filter(({ hostname }) => !['localhost', '127.0.0.1', '[::1]'].includes(hostname)).map(({ url }) => url.split('?')[0]);

export const inbound = (who) => who.page.evaluate(() => window.__televisit.inbound());
export const outbound = (who) => who.page.evaluate(() => window.__televisit.outbound());
export const remotePictures = (who) => who.page.evaluate(() => window.__televisit.remotePictures());

// Notifications of the server that the page's sockets received since `from`, oldest first.
export const received = (who, method) =>
  who.page.evaluate((wanted) => window.__televisit.sockets.flatMap(({ received }) => received).filter((m) => m.method === wanted), method);
export const socketCount = (who) => who.page.evaluate(() => window.__televisit.sockets.length);
