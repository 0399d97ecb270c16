// A scripted client of the engine's signalling and a webhook receiver, for tests that need the real program.
import { createServer } from 'node:http';
import { createHmac } from 'node:crypto';
import WebSocket from 'ws';
import { until } from '../browser/support/server.mjs';

// One participant as the web SDK behaves on the wire: /init, the socket, policy, `join`; no media.
export class Client {
  #socket;
  #next = 1;
  #answers = new Map();
  news = [];

  constructor(api, token, peer) {
    this.api = api;
    this.token = token;
    this.peer = peer;
  }

  async connect() {
    const init = await fetch(`${this.api}/init?peer_id=${this.peer}`, { headers: { authorization: `Bearer ${this.token}` } });
    const { endpoint, message } = await init.json();
    if (init.status !== 200) throw new Error(`init: ${init.status} ${message}`);
    this.news = [];
    this.#socket = new WebSocket(`${endpoint}?peer=${this.peer}&token=${this.token}&protocol_version=2.5&protocol_spec=20250115`);
    this.#socket.on('error', () => {});
    this.#socket.on('message', (data) => {
      const frame = JSON.parse(data);
      if (frame.method) this.news.push(frame);
      else this.#answers.get(frame.id)?.(frame);
    });
    await this.heard('on-policy-change');
    return this;
  }

  async join(name, data = '') {
    await this.connect();
    return this.request('join', { name, data, disableVidAutoSub: true, server_sub_degrade: false, simulcast: false, onDemandTracks: false });
  }

  async request(method, params) {
    const id = `${this.peer}-${this.#next++}`;
    const answer = new Promise((done) => this.#answers.set(id, done));
    this.#socket.send(JSON.stringify({ method, params, id, jsonrpc: '2.0' }));
    const frame = await Promise.race([answer, new Promise((_, no) => setTimeout(() => no(new Error(`no answer to ${method}`)), 5000).unref())]);
    if (frame.error) throw Object.assign(new Error(frame.error.message), frame.error);
    return frame.result;
  }

  // The params of the first notification of this method that came on this socket.
  async heard(method) {
    return (await until(`${method} at ${this.peer}`, () => this.news.find((frame) => frame.method === method), { every: 5 })).params;
  }

  close(code = 1000) { this.#socket?.close(code); }
}

export class Receiver {
  status = 200;
  got = [];

  static async start() {
    const receiver = new Receiver();
    receiver.server = createServer((request, response) => {
      const parts = [];
      request.on('data', (part) => parts.push(part));
      request.on('end', () => {
        const body = Buffer.concat(parts);
        receiver.got.push({ body: body.toString(), event: JSON.parse(body), headers: request.headers, status: receiver.status });
        response.writeHead(receiver.status).end('{}');
      });
    });
    await new Promise((done) => receiver.server.listen(0, '127.0.0.1', done));
    return receiver;
  }

  get url() { return `http://127.0.0.1:${this.server.address().port}/hook`; }
  accepted() { return this.got.filter((one) => one.status === 200); }
  async stop() {
    this.server.closeAllConnections?.();
    await new Promise((done) => this.server.close(done));
  }
}

export const signature = (secret, body) => createHmac('sha256', secret).update(body).digest('hex');
