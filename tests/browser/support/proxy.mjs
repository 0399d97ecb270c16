// A TCP relay in front of a listener, so that a test can cut connections the way a network does: no close frame, no goodbye.
import net from 'node:net';

export class Relay {
  static async open() {
    const relay = new Relay();
    relay.pairs = new Set();
    relay.refusing = false;
    relay.target = null; // the port behind, set by whoever starts the server
    relay.server = net.createServer((client) => relay.#accept(client));
    await new Promise((done) => relay.server.listen(0, '127.0.0.1', done));
    relay.port = relay.server.address().port;
    return relay;
  }

  #accept(client) {
    if (this.refusing || !this.target) return client.destroy();
    const upstream = net.connect(this.target, '127.0.0.1');
    const pair = { client, upstream, webSocket: false };
    this.pairs.add(pair);
    const end = () => {
      this.pairs.delete(pair);
      client.destroy();
      upstream.destroy();
    };
    client.on('data', (chunk) => {
      if (/^upgrade: *websocket/im.test(chunk.toString('latin1'))) pair.webSocket = true;
      upstream.write(chunk);
    });
    upstream.on('data', (chunk) => client.write(chunk));
    for (const socket of [client, upstream]) {
      socket.setNoDelay(true);
      socket.on('close', end);
      socket.on('error', end);
    }
    return undefined;
  }

  // Cuts the WebSockets that are open now; returns how many.
  cutWebSockets() {
    let cut = 0;
    for (const pair of [...this.pairs]) {
      if (!pair.webSocket) continue;
      cut++;
      pair.client.resetAndDestroy?.() ?? pair.client.destroy();
      pair.upstream.resetAndDestroy?.() ?? pair.upstream.destroy();
    }
    return cut;
  }

  close() {
    for (const pair of [...this.pairs]) {
      pair.client.destroy();
      pair.upstream.destroy();
    }
    this.server.close();
  }
}
