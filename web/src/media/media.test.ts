import { afterEach, describe, expect, it, vi } from 'vitest';
import { deviceFault, problemOfSdk } from '../call/faults';
import { sortDevices } from './devices';
import { describeFault, faultKindOf } from './faults';
import { loudness } from './level';
import { MediaOwner, type Held } from './owner';
import { defaultChoices, readChoices } from './preferences';

/** A browser with devices that can be missing, blocked or busy, and that answers when the test says so. */
class Track {
  readyState: 'live' | 'ended' = 'live';
  onended: (() => void) | null = null;
  constructor(
    readonly kind: 'audio' | 'video',
    private readonly deviceId: string,
  ) {}
  stop() {
    this.readyState = 'ended';
  }
  getSettings() {
    return { deviceId: this.deviceId };
  }
}

function browser(answer: (constraints: MediaStreamConstraints) => Promise<Track[]>, secure = true) {
  const asked: MediaStreamConstraints[] = [];
  const all: Track[] = [];
  vi.stubGlobal('window', { isSecureContext: secure });
  vi.stubGlobal('navigator', {
    mediaDevices: {
      getUserMedia: async (constraints: MediaStreamConstraints) => {
        asked.push(constraints);
        const tracks = await answer(constraints);
        all.push(...tracks);
        return { getTracks: () => tracks };
      },
    },
  });
  return { asked, live: () => all.filter((track) => track.readyState === 'live').length };
}

const named = (name: string) => Object.assign(new Error(name), { name });
const give = (constraints: MediaStreamConstraints): Track[] => [
  ...(constraints.video ? [new Track('video', 'cam')] : []),
  ...(constraints.audio ? [new Track('audio', 'mic')] : []),
];
const last = (seen: Held[]): Held => seen[seen.length - 1] as Held;

afterEach(() => vi.unstubAllGlobals());

describe('the owner of camera and microphone', () => {
  it('asks once for both', async () => {
    const { asked } = browser(async (constraints) => give(constraints));
    const seen: Held[] = [];
    await new MediaOwner((held) => seen.push(held)).apply({ camera: true, microphone: true });
    expect(asked).toHaveLength(1);
    expect(last(seen).camera?.kind).toBe('video');
    expect(last(seen).microphone?.kind).toBe('audio');
  });

  it('keeps the microphone when only the camera is missing', async () => {
    browser(async (constraints) => {
      if (constraints.video) throw named('NotFoundError');
      return give(constraints);
    });
    const seen: Held[] = [];
    await new MediaOwner((held) => seen.push(held)).apply({ camera: true, microphone: true });
    expect(last(seen).cameraFault?.kind).toBe('missing');
    expect(last(seen).microphone).not.toBeNull();
    expect(last(seen).microphoneFault).toBeNull();
  });

  it('stops the camera when it is turned off, and leaves the microphone alone', async () => {
    const world = browser(async (constraints) => give(constraints));
    const seen: Held[] = [];
    const owner = new MediaOwner((held) => seen.push(held));
    await owner.apply({ camera: true, microphone: true });
    const microphone = last(seen).microphone;
    await owner.apply({ camera: false, microphone: true });
    expect(last(seen).camera).toBeNull();
    expect(last(seen).microphone).toBe(microphone);
    expect(world.live()).toBe(1);
    expect(world.asked).toHaveLength(1);
  });

  it('release waits for a question that is still open and stops what it brings', async () => {
    let open: (tracks: Track[]) => void = () => undefined;
    const world = browser(() => new Promise((resolve) => (open = resolve)));
    const owner = new MediaOwner(() => undefined);
    void owner.apply({ camera: true, microphone: true });
    let released = false;
    const release = owner.release().then(() => (released = true));
    await Promise.resolve();
    expect(released).toBe(false);
    open(give({ video: true, audio: true }));
    await release;
    expect(world.live()).toBe(0);
  });

  it('opens nothing after release', async () => {
    const world = browser(async (constraints) => give(constraints));
    const owner = new MediaOwner(() => undefined);
    await owner.release();
    await owner.apply({ camera: true, microphone: true });
    expect(world.asked).toHaveLength(0);
  });

  it('falls back when the remembered device is gone', async () => {
    const world = browser(async (constraints) => {
      const video = constraints.video;
      if (typeof video === 'object' && video.deviceId) throw named('OverconstrainedError');
      return give(constraints);
    });
    const seen: Held[] = [];
    await new MediaOwner((held) => seen.push(held)).apply({ camera: true, microphone: false, cameraId: 'old' });
    expect(last(seen).camera).not.toBeNull();
    expect(world.asked).toHaveLength(2);
  });

  it('says why on a plain-http page, without asking the browser', async () => {
    const world = browser(async (constraints) => give(constraints), false);
    const seen: Held[] = [];
    await new MediaOwner((held) => seen.push(held)).apply({ camera: true, microphone: true });
    expect(last(seen).cameraFault?.kind).toBe('insecure');
    expect(world.asked).toHaveLength(0);
  });

  it('reports a device that is unplugged', async () => {
    browser(async (constraints) => give(constraints));
    const seen: Held[] = [];
    await new MediaOwner((held) => seen.push(held)).apply({ camera: true, microphone: false });
    (last(seen).camera as unknown as Track).onended?.();
    expect(last(seen).camera).toBeNull();
    expect(last(seen).cameraFault?.kind).toBe('missing');
  });
});

describe('faults', () => {
  it.each([
    ['NotAllowedError', 'denied'],
    ['NotFoundError', 'missing'],
    ['OverconstrainedError', 'missing'],
    ['NotReadableError', 'busy'],
    ['AbortError', 'busy'],
    ['TypeError', 'unknown'],
  ] as const)('%s means %s', (name, kind) => expect(faultKindOf(name)).toBe(kind));

  it.each(['insecure', 'unsupported', 'denied', 'missing', 'busy', 'unknown'] as const)('%s tells what to do', (kind) => {
    for (const device of ['camera', 'microphone'] as const) {
      const fault = describeFault(kind, device);
      expect(fault.heading).toBeTruthy();
      expect(fault.help.length).toBeGreaterThan(20);
    }
  });

  it('finds the device in an error of the SDK', () => {
    expect(deviceFault({ code: 3001, message: 'User denied permission to access capture device - video' })).toMatchObject({
      devices: ['camera'],
      kind: 'denied',
    });
    expect(deviceFault({ code: 3002, message: 'Capture Device is no longer available - audio' })).toMatchObject({
      devices: ['microphone'],
      kind: 'missing',
    });
    const both = deviceFault({ code: 3003, message: 'Capture device is in use - audio, video' });
    expect(both?.devices).toEqual(['camera', 'microphone']);
    expect(both?.fault.heading).toBe('The camera and microphone are in use by another program');
    expect(deviceFault({ code: 3008, message: 'Autoplay blocked' })).toBeUndefined();
    expect(deviceFault({ code: 1003, message: 'lost' })).toBeUndefined();
    expect(deviceFault('text')).toBeUndefined();
  });

  it('passes the server’s words through terminal errors', () => {
    expect(problemOfSdk({ code: 401, message: '[INIT]: Server error token error: invalid room id' })).toMatchObject({
      code: 'sdk_401',
      detail: '[INIT]: Server error token error: invalid room id',
    });
    for (const code of [403, 410, 1003, 2004, 4005, 6010, 9999]) expect(problemOfSdk({ code }).remedy).toBeTruthy();
    expect(problemOfSdk(new Error('atob failed')).detail).toBe('atob failed');
  });
});

describe('small things', () => {
  it('reads choices, and distrusts what is not ours', () => {
    expect(readChoices(null)).toEqual(defaultChoices);
    expect(readChoices('{')).toEqual(defaultChoices);
    expect(readChoices('null')).toEqual(defaultChoices);
    expect(readChoices('{"microphone":false,"camera":"no","cameraId":5,"speakerId":"s"}')).toEqual({
      microphone: false,
      camera: true,
      microphoneId: undefined,
      cameraId: undefined,
      speakerId: 's',
    });
  });

  it('maps loudness to the meter', () => {
    expect(loudness(0)).toBe(0);
    expect(loudness(0.0001)).toBe(0);
    expect(loudness(1)).toBe(1);
    expect(loudness(0.03)).toBeGreaterThan(0.4);
    expect(loudness(0.03)).toBeLessThan(0.8);
  });

  it('sorts devices and names the nameless', () => {
    const lists = sortDevices([
      { deviceId: 'a', kind: 'videoinput', label: '' },
      { deviceId: '', kind: 'videoinput', label: '' },
      { deviceId: 'b', kind: 'audioinput', label: 'Desk' },
    ]);
    expect(lists).toEqual({ cameras: [{ id: 'a', label: 'Camera 1' }], microphones: [{ id: 'b', label: 'Desk' }], speakers: [] });
  });
});
