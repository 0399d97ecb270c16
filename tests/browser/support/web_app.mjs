// The web app as tests see it: every selector is here, and the few steps that many tests share.
import { until } from './server.mjs';

const id = (name) => `[data-testid="${name}"]`;

export const ui = {
  appointment: id('appointment'),
  drawer: id('drawer'),
  drawerClose: id('drawer-close'),
  createLink: id('create-link'),
  patientLink: id('patient-link'),
  endVisit: id('end-visit'),
  endVisitConfirm: id('end-visit-confirm-confirm'),
  badge: id('status-badge'),
  dayProblem: id('day-problem'),
  startCall: id('start-call'),
  copyLink: id('copy-link'),
  lobby: id('lobby'),
  lobbyName: id('lobby-name'),
  lobbyMic: id('lobby-mic'),
  lobbyCamera: id('lobby-camera'),
  lobbyJoin: id('lobby-join'),
  previewVideo: id('preview-video'),
  cameraFault: id('camera-fault'),
  microphoneFault: id('microphone-fault'),
  closed: id('visit-closed'),
  over: id('visit-over'),
  left: id('visit-left'),
  rejoin: id('visit-rejoin'),
  room: id('room'),
  tileSelf: id('tile-self'),
  tileRemote: id('tile-remote'),
  tileScreen: id('tile-screen'),
  tileHand: id('tile-hand'),
  sharing: id('sharing'),
  screenVideo: id('video-screen'),
  mic: id('control-mic'),
  camera: id('control-camera'),
  screen: id('control-screen'),
  hand: id('control-hand'),
  chat: id('control-chat'),
  chatBadge: id('control-chat-badge'),
  chatInput: id('chat-input'),
  chatSend: id('chat-send'),
  chatMessage: id('chat-message'),
  deviceFault: id('device-fault'),
  layout: id('control-layout'),
  settings: id('control-devices'),
  helpOpen: id('shortcut-help-open'),
  help: id('shortcut-help'),
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

// What the row of an appointment says on a console page, awaited for the 5 seconds in which it has to become true.
export const rowSays = (who, appointment, words) =>
  until(
    `the console says “${words}”`,
    async () => {
      const said = (await who.page.locator(`${ui.appointment}[data-appointment="${appointment}"] ${ui.badge}`).innerText()).trim();
      if (said !== words) throw new Error(`“${said}”`);
      return true;
    },
    { timeout: 5000 },
  );

export async function say(who, text) {
  if ((await who.page.locator(ui.chatInput).count()) === 0) await who.page.locator(ui.chat).click();
  await who.page.locator(ui.chatInput).fill(text);
  await who.page.locator(ui.chatSend).click();
  await who.page.locator(ui.chatMessage, { hasText: text }).waitFor();
}

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
