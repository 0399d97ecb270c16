import type { Problem } from '../api/problem';
import { faultKindOf, type DeviceKind, type FaultKind } from '../media/faults';

/** The members of an SDK exception these pages read; anything else thrown is shown as it is. */
interface SdkError {
  code?: number;
  name?: string;
  message?: string;
  description?: string;
  nativeError?: { name?: string; message?: string };
}

const asSdkError = (error: unknown): SdkError =>
  typeof error === 'object' && error !== null ? (error as SdkError) : { message: String(error) };

/** A terminal error of the SDK: the server's own words, and what to do about them. */
export function problemOfSdk(error: unknown): Problem {
  const { code, name, message, description } = asSdkError(error);
  const detail = message || description || 'The video library gave no reason.';
  const base = { code: code === undefined ? (name ?? 'sdk_error') : `sdk_${code}`, status: 0, detail };
  switch (code) {
    case 401:
    case 2004:
      return {
        ...base,
        title: 'The access to this visit has expired or was not accepted',
        remedy: 'Press “Join again” to get a new one.',
      };
    case 403:
      return { ...base, title: 'The video room did not admit you', remedy: 'The room may be full or locked. Ask the clinic.' };
    case 410:
      return { ...base, title: 'The video room is closed', remedy: 'The visit may be over. Press “Join again” to find out.' };
    case 1000:
    case 1003:
    case 1006:
      return {
        ...base,
        title: 'The connection to the video server was lost',
        remedy: 'Check the network connection, then join again.',
      };
    case 4005:
    case 4006:
      return {
        ...base,
        title: 'Sound and picture cannot get through',
        remedy: 'A firewall or VPN may block video. Try another network, then join again.',
      };
    case 6010:
    case 6011:
      return {
        ...base,
        title: 'This browser cannot make video calls on this address',
        remedy: 'Use the https address in a current browser.',
      };
    default:
      return {
        ...base,
        title: 'The video connection failed',
        remedy: 'Join again. If it fails again, tell your administrator what you see here.',
      };
  }
}

const kinds: Record<number, FaultKind> = {
  3001: 'denied',
  3002: 'missing',
  3003: 'busy',
  3004: 'missing',
  3009: 'missing',
  3011: 'denied',
};

/** A trouble while the visit goes on, with a next step that exists on the visit page. */
export interface CallFault {
  heading: string;
  help: string;
}

const listed = (devices: DeviceKind[]) => devices.join(' and ');

function describe(kind: FaultKind, devices: DeviceKind[], detail?: string): CallFault {
  const names = listed(devices);
  const many = devices.length > 1;
  const button = many ? 'the camera and microphone buttons' : `the ${names} button`;
  const retry = `then press ${button} below. The visit goes on without ${many ? 'them' : 'it'} until then.`;
  switch (kind) {
    case 'denied':
      return {
        heading: `${many ? 'Camera and microphone are' : `The ${names} is`} blocked for this page`,
        help: `Click the symbol beside the address, allow the ${names}, ${retry}`,
      };
    case 'missing':
      return { heading: `No ${devices.join(' or ')} was found`, help: `Plug ${many ? 'them' : 'one'} in, ${retry}` };
    case 'busy':
      return {
        heading: `The ${names} ${many ? 'are' : 'is'} in use by another program`,
        help: `Close the other program or tab, ${retry}`,
      };
    default:
      return {
        heading: `The ${names} did not start`,
        help: `${detail ? `The browser says: ${detail}. ` : ''}Check the device, ${retry}`,
      };
  }
}

/** Which devices failed, and how. Undefined when the error is not about a camera or microphone. */
export function deviceFault(error: unknown): { devices: DeviceKind[]; kind: FaultKind; fault: CallFault } | undefined {
  const { code, message = '', description = '', nativeError } = asSdkError(error);
  if (code === undefined || code < 3000 || code > 3020 || code === 3008) return undefined;
  const words = `${message} ${description}`.toLowerCase();
  const devices: DeviceKind[] = [];
  if (words.includes('video') || words.includes('camera')) devices.push('camera');
  if (words.includes('audio') || words.includes('microphone') || devices.length === 0) devices.push('microphone');
  const native = nativeError?.name ? faultKindOf(nativeError.name) : 'unknown';
  const kind = native !== 'unknown' ? native : (kinds[code] ?? 'unknown');
  return { devices, kind, fault: describe(kind, devices, message || undefined) };
}
