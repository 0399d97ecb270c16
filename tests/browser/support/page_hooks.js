// Runs in the page before its own scripts. Keeps hold of what the browser itself made (peer connections, sockets), so that tests
// look at decoded frames and received packets instead of at what the page says about itself.
(() => {
  const connections = [];
  const sockets = [];
  const NativeConnection = window.RTCPeerConnection;
  window.RTCPeerConnection = class extends NativeConnection {
    constructor(...args) {
      super(...args);
      connections.push(this);
    }
  };
  const NativeSocket = window.WebSocket;
  window.WebSocket = class extends NativeSocket {
    constructor(...args) {
      super(...args);
      sockets.push({ socket: this, at: performance.now(), received: [] });
      const entry = sockets[sockets.length - 1];
      this.addEventListener('message', (event) => {
        if (typeof event.data !== 'string') return;
        try {
          const { method, params } = JSON.parse(event.data);
          if (method) entry.received.push({ method, params, at: performance.now() });
        } catch { /* not ours to judge here */ }
      });
    }
  };

  // How many notes the page itself has played.
  const played = { tones: 0 };
  const start = OscillatorNode.prototype.start;
  OscillatorNode.prototype.start = function (...args) {
    played.tones++;
    return start.apply(this, args);
  };

  async function inbound() {
    const sum = { audioPackets: 0, audioBytes: 0, audioEnergy: 0, videoPackets: 0, framesDecoded: 0, keyFrames: 0, videos: [] };
    for (const connection of connections) {
      if (connection.connectionState === 'closed') continue;
      for (const item of (await connection.getStats()).values()) {
        if (item.type !== 'inbound-rtp') continue;
        if (item.kind === 'audio') {
          sum.audioPackets += item.packetsReceived ?? 0;
          sum.audioBytes += item.bytesReceived ?? 0;
          sum.audioEnergy += item.totalAudioEnergy ?? 0;
        } else {
          sum.videoPackets += item.packetsReceived ?? 0;
          sum.framesDecoded += item.framesDecoded ?? 0;
          sum.keyFrames += item.keyFramesDecoded ?? 0;
          sum.videos.push({ track: item.trackIdentifier, frames: item.framesDecoded ?? 0, width: item.frameWidth ?? 0, height: item.frameHeight ?? 0 });
        }
      }
    }
    return sum;
  }

  async function outbound() {
    const sum = { audioPackets: 0, videoPackets: 0, framesEncoded: 0 };
    for (const connection of connections) {
      if (connection.connectionState === 'closed') continue;
      for (const item of (await connection.getStats()).values()) {
        if (item.type !== 'outbound-rtp') continue;
        if (item.kind === 'audio') sum.audioPackets += item.packetsSent ?? 0;
        else {
          sum.videoPackets += item.packetsSent ?? 0;
          sum.framesEncoded += item.framesEncoded ?? 0;
        }
      }
    }
    return sum;
  }

  // Mean and spread of brightness of the decoded picture in a <video>; spread 0 means one flat colour.
  function picture(video) {
    const canvas = document.createElement('canvas');
    canvas.width = 32;
    canvas.height = 18;
    const context = canvas.getContext('2d', { willReadFrequently: true });
    context.drawImage(video, 0, 0, canvas.width, canvas.height);
    const { data } = context.getImageData(0, 0, canvas.width, canvas.height);
    let sum = 0, low = 255, high = 0;
    for (let i = 0; i < data.length; i += 4) {
      const luma = 0.299 * data[i] + 0.587 * data[i + 1] + 0.114 * data[i + 2];
      sum += luma;
      low = Math.min(low, luma);
      high = Math.max(high, luma);
    }
    return { mean: sum / (data.length / 4), spread: high - low, width: video.videoWidth, height: video.videoHeight };
  }

  // The pictures of every <video> whose track arrived over one of the connections, never one's own camera.
  function remotePictures() {
    const remote = new Set();
    for (const connection of connections)
      for (const receiver of connection.getReceivers()) if (receiver.track?.kind === 'video') remote.add(receiver.track.id);
    return [...document.querySelectorAll('video')]
      .filter((video) => video.videoWidth > 0 && (video.srcObject?.getVideoTracks() ?? []).some((track) => remote.has(track.id)))
      .map(picture);
  }

  // The moment of the first decoded remote frame, watched from inside so that polling from outside adds nothing.
  function watchFirstFrame() {
    window.__firstRemoteFrame = null;
    const seen = new WeakSet();
    const look = () => {
      const remote = new Set();
      for (const connection of connections)
        for (const receiver of connection.getReceivers()) if (receiver.track?.kind === 'video') remote.add(receiver.track.id);
      for (const video of document.querySelectorAll('video')) {
        if (seen.has(video) || !(video.srcObject?.getVideoTracks() ?? []).some((track) => remote.has(track.id))) continue;
        seen.add(video);
        video.requestVideoFrameCallback((now) => (window.__firstRemoteFrame ??= now));
      }
      if (window.__firstRemoteFrame === null) requestAnimationFrame(look);
    };
    look();
  }

  window.__televisit = { connections, sockets, played, inbound, outbound, remotePictures, watchFirstFrame };
})();
