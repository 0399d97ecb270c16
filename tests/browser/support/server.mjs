// The real program, started for one test file and stopped by its own process id. Port 0 everywhere; what was bound is read
// from run.json, as an operator's scripts would.
import { spawn, execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import net from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../../..');
export const binary = process.env.TELEVISIT_BINARY ?? path.join(root, 'build/release/src/app/televisit');

export const sleep = (ms) => new Promise((done) => setTimeout(done, ms));

// Polls until `probe` gives something truthy; the error of a timeout names what was awaited and what was last seen.
export async function until(what, probe, { timeout = 10_000, every = 50 } = {}) {
  const end = Date.now() + timeout;
  let last;
  for (;;) {
    try {
      last = await probe();
      if (last) return last;
    } catch (error) {
      last = error;
    }
    if (Date.now() > end) {
      const seen = last instanceof Error ? last.message : JSON.stringify(last);
      throw new Error(`not within ${timeout} ms: ${what} (last seen: ${seen})`);
    }
    await sleep(every);
  }
}

async function freePort() {
  const probe = net.createServer();
  await new Promise((done) => probe.listen(0, '127.0.0.1', done));
  const { port } = probe.address();
  await new Promise((done) => probe.close(done));
  return port;
}

function environment(extra) {
  const env = { ...process.env };
  for (const name of Object.keys(env)) if (name === 'DATABASE_URL' || name.startsWith('TELEVISIT_')) delete env[name];
  return { ...env, ...extra };
}

export class Server {
  #child = null;
  #addresses = ['--api', '127.0.0.1:0', '--web', '127.0.0.1:0', '--media', '127.0.0.1:0'];
  // The pages of this tree, also when the program was built elsewhere.
  #pages = ['--web-root', path.join(root, 'web/dist')];
  #log = [];

  // args: further options of `serve`. data: a folder that survives dispose(). init: options of `init --demo`, run first.
  // relay: browsers reach the web listener through it, so that the test can cut their connections.
  static async start({ args = [], env = {}, data, init = [], relay } = {}) {
    const server = new Server();
    server.args = [...args];
    if (relay) {
      relay.target = await freePort();
      server.#addresses[3] = `127.0.0.1:${relay.target}`;
      server.args.push('--public-web-url', `http://localhost:${relay.port}`);
    }
    server.env = env;
    server.ownsData = data === undefined;
    server.data = data ?? (await mkdtemp(path.join(tmpdir(), 'televisit-')));
    if (init.length > 0) {
      // What init writes into the demo integration names the API's port, so it is chosen before.
      server.#addresses[1] = `127.0.0.1:${await freePort()}`;
      await server.cli('init', '--demo', ...init);
    }
    await server.boot();
    return server;
  }

  async boot() {
    const runFile = path.join(this.data, 'run.json');
    await rm(runFile, { force: true });
    const began = Date.now();
    this.#child = spawn(binary, ['serve', '--data', this.data, ...this.#addresses, ...this.#pages, ...this.args], {
      env: environment(this.env),
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const child = this.#child;
    this.exited = new Promise((done) => child.once('exit', (code, signal) => done({ code, signal })));
    let gone = null;
    this.exited.then((how) => (gone = how));
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => this.#log.push(chunk));
    this.run = await until(
      'run.json of the server',
      async () => {
        if (gone) throw new Error(`the server ended: ${JSON.stringify(gone)}\n${this.log()}`);
        return JSON.parse(await readFile(runFile, 'utf8'));
      },
      { timeout: 20_000, every: 10 },
    );
    await until('/readyz 200', async () => (await fetch(`${this.api}/readyz`)).status === 200, { every: 10 });
    this.startMs = Date.now() - began;
    this.#addresses = [
      '--api', `127.0.0.1:${new URL(this.run.api).port}`,
      '--web', this.#addresses[3].endsWith(':0') ? `127.0.0.1:${new URL(this.run.web).port}` : this.#addresses[3],
      '--media', this.run.media,
    ];
    return this;
  }

  get api() { return this.run.api; }
  get web() { return this.run.web; }
  get pid() { return this.#child.pid; }
  log() { return Buffer.concat(this.#log).toString('utf8'); }

  async stop(signal = 'SIGTERM') {
    if (!this.#child) return null;
    this.#child.kill(signal);
    const how = await Promise.race([this.exited, sleep(10_000).then(() => null)]);
    if (!how) {
      this.#child.kill('SIGKILL');
      await this.exited;
      throw new Error(`the server did not stop within 10 s of ${signal}`);
    }
    this.#child = null;
    return how;
  }

  async dispose() {
    await this.stop('SIGTERM');
    if (this.ownsData) await rm(this.data, { recursive: true, force: true });
  }

  // Runs one subcommand on the same data; resolves to its standard output.
  cli(command, ...args) {
    const settings = ['--data', this.data, '--api', this.#addresses[1]];
    const database = this.args.indexOf('--database-url');
    if (database >= 0) settings.push(...this.args.slice(database, database + 2));
    return new Promise((done, failed) => {
      execFile(
        binary,
        [command, ...args, ...settings],
        { env: environment(this.env), timeout: 30_000 },
        (error, stdout, stderr) => (error ? failed(new Error(`${command}: ${error.message}\n${stdout}${stderr}`)) : done(stdout.trim())),
      );
    });
  }

  managementToken() { return this.cli('token', 'management'); }
  appToken(room, role, user) { return this.cli('token', 'app', '--room', room, '--role', role, '--user', user); }

  // Calls the API as the demo clinic. `json` is sent as it is when it is a string.
  async call(method, target, { json, headers = {}, org = this.run.orgId } = {}) {
    const answer = await fetch(`${this.api}${target}`, {
      method,
      headers: { ...(json === undefined ? {} : { 'content-type': 'application/json' }), ...(org ? { 'x-org-id': org } : {}), ...headers },
      body: json === undefined ? undefined : typeof json === 'string' ? json : JSON.stringify(json),
    });
    const text = await answer.text();
    let body = null;
    try { body = text ? JSON.parse(text) : null; } catch { /* the caller looks at text */ }
    return { status: answer.status, headers: answer.headers, text, body };
  }

  // One value of /metrics, summed over its labels; 0 when it was never counted.
  async metric(name) {
    const text = await (await fetch(`${this.api}/metrics`)).text();
    let sum = 0;
    for (const line of text.split('\n')) {
      const match = /^([a-zA-Z_:][\w:]*)(\{[^}]*\})? ([-+0-9.eE]+)$/.exec(line);
      if (match && match[1] === name) sum += Number(match[3]);
    }
    return sum;
  }
}
