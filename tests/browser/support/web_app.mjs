// The web app as tests see it: every selector is here, and the few steps that many tests share.
import { until } from './server.mjs';

const id = (name) => `[data-testid="${name}"]`;

export const ui = {
  appointment: id('appointment'),
  drawer: id('drawer'),
  startCall: id('start-call'),
  copyLink: id('copy-link'),
  lobby: id('lobby'),
  lobbyName: id('lobby-name'),
  lobbyMic: id('lobby-mic'),
  lobbyCamera: id('lobby-camera'),
  lobbyJoin: id('lobby-join'),
  previewVideo: id('preview-video'),
  room: id('room'),
  tileSelf: id('tile-self'),
  tileRemote: id('tile-remote'),
  tileScreen: id('tile-screen'),
  mic: id('control-mic'),
  camera: id('control-camera'),
  screen: id('control-screen'),
  hand: id('control-hand'),
  chat: id('control-chat'),
  chatInput: id('chat-input'),
  chatSend: id('chat-send'),
  chatMessage: id('chat-message'),
  leave: id('control-leave'),
  end: id('control-end'),
  endConfirm: id('end-confirm-confirm'),
  reconnecting: id('reconnecting'),
  problemCode: id('problem-code'),
};

// Through the lobby of /meeting/CODE into the visit.
export async function joinThroughLobby(who, link, name, { microphone = true, camera = true } = {}) {
  const { page } = who;
  await page.goto(link);
  await page.locator(ui.lobby).waitFor();
  await page.locator(ui.lobbyName).fill(name);
  for (const [wanted, button] of [[microphone, ui.lobbyMic], [camera, ui.lobbyCamera]])
    if (!wanted) await page.locator(button).click();
  await page.locator(ui.lobbyJoin).click();
  await inRoom(who);
}

export const inRoom = (who) => who.page.locator(`${ui.room}[data-connection="connected"]`).waitFor({ timeout: 15_000 });

export const remoteCount = async (who) => Number(await who.page.locator(ui.room).getAttribute('data-remote'));

// Opens the first of today's appointments and starts its visit; resolves to the patient's link.
export async function startFromConsole(who, web) {
  const { page } = who;
  await page.goto(web);
  await page.locator(ui.appointment).first().click();
  await page.locator(ui.startCall).click();
  await inRoom(who);
  return new URL(page.url()).origin + new URL(page.url()).pathname;
}

export const withRemotes = (who, count) => until(`${who.name} has ${count} remote people`, async () => (await remoteCount(who)) === count, { timeout: 15_000 });
