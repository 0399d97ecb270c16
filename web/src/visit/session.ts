import type { JoinAnswer } from '../api/types';
import { normaliseCode } from '../lib/links';

/**
 * What this tab needs to come back into a visit after a reload: kept in sessionStorage, gone with the tab, removed
 * when the person leaves or the visit ends. `inside` says that a reload continues without another lobby.
 */
export interface TabSession {
  inside: boolean;
  displayName: string;
  microphone: boolean;
  camera: boolean;
  ticket?: string | null;
  invite?: string;
  answer?: JoinAnswer;
  /** Known when the visit was opened from the console: allows ending it over the API. */
  staff?: StaffRights;
}

export interface StaffRights {
  orgId: string;
  visitId: string;
  publicLink: string;
}

const keyOf = (code: string) => `televisit.visit.${normaliseCode(code)}`;

export function loadSession(code: string): TabSession | undefined {
  try {
    const text = sessionStorage.getItem(keyOf(code));
    if (!text) return undefined;
    const stored = JSON.parse(text) as Partial<TabSession>;
    return typeof stored.displayName === 'string'
      ? {
          ...stored,
          inside: stored.inside === true,
          displayName: stored.displayName,
          microphone: stored.microphone === true,
          camera: stored.camera === true,
        }
      : undefined;
  } catch {
    return undefined;
  }
}

export function saveSession(code: string, session: TabSession): void {
  try {
    sessionStorage.setItem(keyOf(code), JSON.stringify(session));
  } catch {
    // Without storage a reload starts at the lobby again; nothing else is lost.
  }
}

export function updateSession(code: string, change: Partial<TabSession>): void {
  const session = loadSession(code);
  if (session) saveSession(code, { ...session, ...change });
}

/** Ends the visit for this tab. The personal link and the name stay, so that “Rejoin” works; tokens go. */
export function closeSession(code: string): void {
  updateSession(code, { inside: false, ticket: undefined, answer: undefined });
}

export function forgetSession(code: string): void {
  try {
    sessionStorage.removeItem(keyOf(code));
  } catch {
    // Nothing was stored then.
  }
}

export interface Handover {
  invite?: string;
  displayName: string;
  staff: StaffRights;
}

/** From the console into a visit without a page load: the invite stays in memory and is taken once. */
const handovers = new Map<string, Handover>();
export const handOver = (code: string, handover: Handover): void => void handovers.set(normaliseCode(code), handover);
export function takeHandover(code: string): Handover | undefined {
  const handover = handovers.get(normaliseCode(code));
  handovers.delete(normaliseCode(code));
  return handover;
}

const nameKey = 'televisit.name';
export function loadName(): string {
  try {
    return localStorage.getItem(nameKey) ?? '';
  } catch {
    return '';
  }
}
export function saveName(name: string): void {
  try {
    localStorage.setItem(nameKey, name);
  } catch {
    // Only the convenience of a filled-in name is lost.
  }
}
