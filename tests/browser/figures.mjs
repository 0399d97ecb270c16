// Measures what the closing notes report: start, memory, first remote frame, CPU of one visit. Prints one table. Not a test: nothing here fails on a slow machine.
import { readFile, readdir } from 'node:fs/promises';
import path from 'node:path';
import { Server, root, sleep, until } from './support/server.mjs';
import { inbound, launch, person } from './support/browser.mjs';
import { createRoom, joinWithSdk, serveSdkPage } from './support/sdk_page.mjs';

const rounds = Number(process.env.ROUNDS ?? 20);
const rows = [];
const row = (what, value, target = '') => rows.push([what, value, target]);
const median = (values) => values.slice().sort((a, b) => a - b)[Math.floor(values.length / 2)];

const residentMb = async (pid) => Number(/VmRSS:\s+(\d+)/.exec(await readFile(`/proc/${pid}/status`, 'utf8'))[1]) / 1024;
// utime + stime in ticks of 10 ms (proc(5), fields 14 and 15).
const cpuSeconds = async (pid) => {
  const fields = (await readFile(`/proc/${pid}/stat`, 'utf8')).replace(/^.*\) /, '').split(' ');
  return (Number(fields[11]) + Number(fields[12])) / 100;
};

async function linesByModule() {
  const sums = new Map();
  async function walk(folder, name) {
    for (const entry of await readdir(folder, { withFileTypes: true })) {
      if (['node_modules', 'dist', 'corpus'].includes(entry.name)) continue;
      const file = path.join(folder, entry.name);
      if (entry.isDirectory()) await walk(file, name);
      else if (/\.(cpp|h|ts|tsx|mjs|js|sql|css)$/.test(entry.name)) {
        const tests = /(_test\.cpp|testing_[a-z_]*\.(cpp|h)|\.test\.(tsx?|mjs))$/.test(entry.name);
        const lines = (await readFile(file, 'utf8')).split('\n').length - 1;
        const sum = sums.get(name) ?? { code: 0, tests: 0 };
        sum[tests ? 'tests' : 'code'] += lines;
        sums.set(name, sum);
      }
    }
  }
  for (const entry of await readdir(path.join(root, 'src'), { withFileTypes: true })) if (entry.isDirectory()) await walk(path.join(root, 'src', entry.name), entry.name);
  for (const folder of ['web', 'migrations', 'fuzz', 'tests']) await walk(path.join(root, folder), `${folder}/`);
  return [...sums].sort(([a], [b]) => a.localeCompare(b));
}

const server = await Server.start();
row('start, empty data folder, to /readyz', `${server.startMs} ms`, '2000 ms');
await server.stop();
await server.boot();
row('start, existing data, to /readyz', `${server.startMs} ms`, '2000 ms');
await sleep(2000);
const idle = await residentMb(server.pid);
row('resident memory, idle', `${idle.toFixed(1)} MB`, '60 MB');

const page = await serveSdkPage();
const browser = await launch();
const room = await createRoom(server, 'figures');
const ana = await person(browser, 'Ana');
await joinWithSdk(ana, page, server, await server.appToken(room.id, 'host', 'u-ana'));
await until('Ana is in the room', async () => ana.page.evaluate(() => window.peer.state().connected));
await sleep(2000);

const firstFrame = [];
let ben = await person(browser, 'Ben');
for (let i = 0; i < rounds; i++) {
  const error = await joinWithSdk(ben, page, server, await server.appToken(room.id, 'guest', 'u-ben'));
  if (error) throw new Error(JSON.stringify(error));
  const taken = await until('the first remote frame', () => ben.page.evaluate(() => window.__firstRemoteFrame && window.__firstRemoteFrame - window.joinedAt), { every: 20 });
  firstFrame.push(taken);
  if (i < rounds - 1) {
    await ben.page.evaluate(() => window.peer.leave());
    await sleep(300);
  }
}
row(`join() to first remote frame, median of ${rounds}`, `${median(firstFrame).toFixed(0)} ms`, '400 ms');
row(`join() to first remote frame, worst of ${rounds}`, `${Math.max(...firstFrame).toFixed(0)} ms`);

await sleep(5000);
const began = Date.now();
const [cpu, frames] = [await cpuSeconds(server.pid), (await inbound(ben)).framesDecoded];
await sleep(20_000);
const seconds = (Date.now() - began) / 1000;
row('server CPU, one two-party visit', `${(((await cpuSeconds(server.pid)) - cpu) / seconds * 100).toFixed(1)} % of a core`);
row('frames per second seen by the guest', (((await inbound(ben)).framesDecoded - frames) / seconds).toFixed(1));
const visit = await residentMb(server.pid);
row('resident memory, one visit', `${visit.toFixed(1)} MB (+${(visit - idle).toFixed(1)})`, '+4 MB');

await browser.close();
await page.close();
await server.dispose();

const width = Math.max(...rows.map(([what]) => what.length));
for (const [what, value, target] of rows) console.log(`${what.padEnd(width)}  ${String(value).padEnd(22)}${target && `[${target}]`}`);
console.log('\nlines of code        code   tests');
let code = 0, tests = 0;
for (const [name, sum] of await linesByModule()) {
  console.log(`${name.padEnd(16)} ${String(sum.code).padStart(8)} ${String(sum.tests).padStart(7)}`);
  code += sum.code;
  tests += sum.tests;
}
console.log(`${'all'.padEnd(16)} ${String(code).padStart(8)} ${String(tests).padStart(7)}`);
