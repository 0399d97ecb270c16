// Serves the SDK page from an origin of its own, as a customer's site is: so the server's CORS answers are part of every test.
import http from 'node:http';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const folder = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../sdk');

export async function serveSdkPage() {
  const bundle = await build({
    entryPoints: [path.join(folder, 'page.mjs')], bundle: true, write: false, format: 'esm', platform: 'browser', target: 'es2020',
    define: { 'process.env.NODE_ENV': '"production"', global: 'globalThis' }, logLevel: 'error',
  });
  const script = bundle.outputFiles[0].contents;
  const server = http.createServer((request, response) => {
    if (request.url === '/page.js') return response.writeHead(200, { 'content-type': 'text/javascript' }).end(script);
    if (request.url !== '/') return response.writeHead(404).end();
    return response
      .writeHead(200, { 'content-type': 'text/html; charset=utf-8' })
      .end('<!doctype html><meta charset="utf-8"><title>SDK page</title><body><script type="module" src="/page.js"></script>');
  });
  await new Promise((done) => server.listen(0, '127.0.0.1', done));
  return { url: `http://localhost:${server.address().port}/`, close: () => new Promise((done) => { server.closeAllConnections?.(); server.close(done); }) };
}

export const initEndpoint = (server) => `${server.web}/#https://local`;

// A room of the engine's default template, through its REST API.
export async function createRoom(server, name) {
  const token = await server.managementToken();
  const answer = await fetch(`${server.api}/v2/rooms`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify({ name }),
  });
  if (answer.status !== 200) throw new Error(`POST /v2/rooms: ${answer.status} ${await answer.text()}`);
  return answer.json();
}

// Opens the page for `who` and joins; resolves when join() settled, with its error or null.
export async function joinWithSdk(who, page, server, token, { userName = who.name, settings = {} } = {}) {
  await who.page.goto(page.url);
  await who.page.waitForFunction(() => window.peer !== undefined);
  return who.page.evaluate((config) => window.peer.join(config), {
    authToken: token, userName, initEndpoint: initEndpoint(server), settings: { isAudioMuted: false, isVideoMuted: false, ...settings },
  });
}

export const state = (who) => who.page.evaluate(() => window.peer.state());
