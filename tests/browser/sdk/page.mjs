// A page like any customer's: the unmodified SDK, its store, a <video> for each remote camera. `window.peer` is the test's handle.
import {
  HMSReactiveStore, HMSNotificationTypes, selectHasPeerHandRaised, selectHMSMessages, selectIsConnectedToRoom, selectIsLocalAudioEnabled,
  selectLocalPeer, selectPeers, selectRemotePeers, selectRoomState, selectTracksMap,
} from '@100mslive/hms-video-store';

const hms = new HMSReactiveStore();
hms.triggerOnSubscribe();
const store = hms.getStore();
const actions = hms.getActions();
const notifications = [];
hms.getNotifications().onNotification((n) => notifications.push({ type: n.type, message: n.message, code: n.data?.code ?? null }));

store.subscribe(async (peers) => {
  for (const peer of peers) {
    if (!peer.videoTrack || document.getElementById(peer.videoTrack)) continue;
    const video = document.createElement('video');
    Object.assign(video, { id: peer.videoTrack, autoplay: true, muted: true, playsInline: true, width: 320, height: 180 });
    document.body.append(video);
    await actions.attachVideo(peer.videoTrack, video);
  }
  for (const video of document.querySelectorAll('video')) if (!peers.some((peer) => peer.videoTrack === video.id)) video.remove();
}, selectRemotePeers);

window.peer = {
  types: HMSNotificationTypes,
  notifications,
  join: (config) => {
    window.__televisit.watchFirstFrame();
    window.joinedAt = performance.now();
    return actions.join(config).then(() => null, (error) => ({ code: error.code, name: error.name, message: error.message }));
  },
  leave: () => actions.leave(),
  endRoom: (lock, reason) => actions.endRoom(lock, reason),
  chat: (text) => actions.sendBroadcastMessage(text),
  direct: (text, peerId) => actions.sendDirectMessage(text, peerId),
  mute: (muted) => actions.setLocalAudioEnabled(!muted),
  camera: (on) => actions.setLocalVideoEnabled(on),
  raise: () => actions.raiseLocalPeerHand(),
  lower: () => actions.lowerLocalPeerHand(),
  rename: (name) => actions.changeName(name),
  layer: (trackId, layer) => actions.setPreferredLayer(trackId, layer),
  state: () => {
    const tracks = store.getState(selectTracksMap);
    return {
      room: store.getState(selectRoomState),
      connected: Boolean(store.getState(selectIsConnectedToRoom)),
      self: store.getState(selectLocalPeer)?.id ?? null,
      micOn: store.getState(selectIsLocalAudioEnabled),
      peers: store.getState(selectPeers).map((p) => ({
        id: p.id, name: p.name, role: p.roleName, local: p.isLocal, user: p.customerUserId ?? null,
        audio: p.audioTrack ? tracks[p.audioTrack]?.enabled ?? null : null,
        video: p.videoTrack ? tracks[p.videoTrack]?.enabled ?? null : null,
        videoTrack: p.videoTrack ?? null,
        hand: store.getState(selectHasPeerHandRaised(p.id)),
      })),
      messages: store.getState(selectHMSMessages).map((m) => ({ from: m.senderName ?? null, text: m.message, mine: m.sender === store.getState(selectLocalPeer)?.id })),
    };
  },
};
