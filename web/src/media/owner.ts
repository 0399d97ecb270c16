import { describeFault, faultKindOf, type DeviceKind, type Fault } from './faults';

export interface Wanted {
  camera: boolean;
  microphone: boolean;
  cameraId?: string;
  microphoneId?: string;
}

export interface Held {
  camera: MediaStreamTrack | null;
  microphone: MediaStreamTrack | null;
  cameraFault: Fault | null;
  microphoneFault: Fault | null;
}

export const nothingHeld: Held = { camera: null, microphone: null, cameraFault: null, microphoneFault: null };

type Listener = (held: Held) => void;

const idOf = (wanted: Wanted, device: DeviceKind) => (device === 'camera' ? wanted.cameraId : wanted.microphoneId);

/**
 * The one owner of camera and microphone before a visit. Requests run one after the other, so a late answer of the
 * browser can never leave a track running behind our back. release() resolves when every track is stopped and no
 * request is pending: only then may the SDK ask for the devices.
 */
export class MediaOwner {
  private held: Held = nothingHeld;
  private queue: Promise<void> = Promise.resolve();
  private released = false;

  constructor(private readonly listener: Listener) {}

  /** Makes what is held match what is wanted. Failures are reported in `Held`, never thrown. */
  apply(wanted: Wanted): Promise<void> {
    this.queue = this.queue.then(() => (this.released ? undefined : this.adjust(wanted)));
    return this.queue;
  }

  release(): Promise<void> {
    this.released = true;
    this.queue = this.queue.then(() => {
      this.stop('camera');
      this.stop('microphone');
      this.held = nothingHeld;
      this.listener(this.held);
    });
    return this.queue;
  }

  private stop(device: DeviceKind): void {
    const track = this.held[device];
    if (!track) return;
    track.onended = null;
    track.stop();
    this.held = { ...this.held, [device]: null };
  }

  private keeps(device: DeviceKind, wanted: Wanted): boolean {
    const track = this.held[device];
    if (!track || track.readyState !== 'live') return false;
    const id = idOf(wanted, device);
    return id === undefined || track.getSettings().deviceId === id;
  }

  private async adjust(wanted: Wanted): Promise<void> {
    const missing: DeviceKind[] = [];
    for (const device of ['camera', 'microphone'] as const) {
      if (wanted[device] && this.keeps(device, wanted)) continue;
      this.stop(device);
      this.setFault(device, null);
      if (wanted[device]) missing.push(device);
    }
    if (missing.length > 0) await this.open(missing, wanted);
    if (this.released) return;
    this.listener(this.held);
  }

  private async open(devices: DeviceKind[], wanted: Wanted): Promise<void> {
    if (!window.isSecureContext) return this.failAll(devices, 'insecure');
    if (!navigator.mediaDevices?.getUserMedia) return this.failAll(devices, 'unsupported');
    try {
      // Both in one request: one permission question instead of two.
      this.take(await this.ask(devices, wanted));
    } catch (error) {
      const [only] = devices;
      if (devices.length === 1 && only) return this.fail(only, error);
      for (const device of devices) {
        try {
          this.take(await this.ask([device], wanted));
        } catch (single) {
          this.fail(device, single);
        }
      }
    }
  }

  private async ask(devices: DeviceKind[], wanted: Wanted): Promise<MediaStream> {
    const constraints = (exact: boolean): MediaStreamConstraints => {
      const device = (kind: DeviceKind): MediaTrackConstraints => {
        const id = idOf(wanted, kind);
        return exact && id ? { deviceId: { exact: id } } : {};
      };
      return {
        video: devices.includes('camera') ? { ...device('camera'), width: { ideal: 1280 }, height: { ideal: 720 } } : false,
        audio: devices.includes('microphone') ? device('microphone') : false,
      };
    };
    try {
      return await navigator.mediaDevices.getUserMedia(constraints(true));
    } catch (error) {
      // The remembered device was unplugged: fall back to the browser's own choice.
      const remembered = devices.some((device) => idOf(wanted, device) !== undefined);
      if (remembered && error instanceof Error && faultKindOf(error.name) === 'missing') {
        return navigator.mediaDevices.getUserMedia(constraints(false));
      }
      throw error;
    }
  }

  private take(stream: MediaStream): void {
    for (const track of stream.getTracks()) {
      const device: DeviceKind = track.kind === 'video' ? 'camera' : 'microphone';
      this.stop(device);
      this.held = { ...this.held, [device]: track };
      track.onended = () => {
        this.stop(device);
        this.setFault(device, describeFault('missing', device));
        this.listener(this.held);
      };
    }
  }

  private failAll(devices: DeviceKind[], kind: 'insecure' | 'unsupported'): void {
    for (const device of devices) this.setFault(device, describeFault(kind, device));
  }

  private fail(device: DeviceKind, error: unknown): void {
    const name = error instanceof Error ? error.name : '';
    this.setFault(device, describeFault(faultKindOf(name), device, error instanceof Error ? error.message : undefined));
  }

  private setFault(device: DeviceKind, fault: Fault | null): void {
    this.held = device === 'camera' ? { ...this.held, cameraFault: fault } : { ...this.held, microphoneFault: fault };
  }
}
