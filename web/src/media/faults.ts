/** Why a camera or microphone gave nothing, in words a patient can act on. */
export type FaultKind = 'insecure' | 'unsupported' | 'denied' | 'missing' | 'busy' | 'unknown';
export type DeviceKind = 'camera' | 'microphone';

export interface Fault {
  kind: FaultKind;
  heading: string;
  help: string;
}

const names: Record<DeviceKind, string> = { camera: 'camera', microphone: 'microphone' };

export function faultKindOf(errorName: string): FaultKind {
  switch (errorName) {
    case 'NotAllowedError':
    case 'PermissionDeniedError':
    case 'SecurityError':
      return 'denied';
    case 'NotFoundError':
    case 'DevicesNotFoundError':
    case 'OverconstrainedError':
      return 'missing';
    case 'NotReadableError':
    case 'TrackStartError':
    case 'AbortError':
      return 'busy';
    default:
      return 'unknown';
  }
}

export function describeFault(kind: FaultKind, device: DeviceKind, detail?: string): Fault {
  const name = names[device];
  switch (kind) {
    case 'insecure':
      return {
        kind,
        heading: `The browser keeps the ${name} from this page`,
        help: 'Cameras and microphones work on https pages only. Open the https address of this page.',
      };
    case 'unsupported':
      return {
        kind,
        heading: 'This browser cannot make video calls',
        help: 'Open the link in a current version of Chrome, Edge, Firefox or Safari.',
      };
    case 'denied':
      return {
        kind,
        heading: `The ${name} is blocked for this page`,
        help: `Click the ${name} or lock symbol beside the address, allow the ${name}, then press “Try again”. You can also join without it.`,
      };
    case 'missing':
      return {
        kind,
        heading: `No ${name} was found`,
        help: `Plug one in and press “Try again”, or join without a ${name}.`,
      };
    case 'busy':
      return {
        kind,
        heading: `The ${name} is in use by another program`,
        help: `Close the other program or tab that uses the ${name}, then press “Try again”. You can also join without it.`,
      };
    case 'unknown':
      return {
        kind,
        heading: `The ${name} did not start`,
        help: `${detail ? `The browser says: ${detail}. ` : ''}Press “Try again”, or join without it.`,
      };
  }
}
