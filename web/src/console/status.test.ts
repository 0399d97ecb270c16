import { describe, expect, it } from 'vitest';
import type { Presence, Visit, VisitStatus } from '../api/types';
import { isOpen, presenceWords, statusOf } from './status';

const visit = (status: VisitStatus, presence: Partial<Presence> = {}, extra: Partial<Visit> = {}): Visit => ({
  id: 'v',
  code: 'K7M2QX9RTD',
  status,
  displayName: 'Telehealth consultation',
  publicLink: 'http://localhost:3000/meeting/K7M2QX9RTD',
  presence: { hosts: 0, admitted: 0, waiting: 0, ...presence },
  ...extra,
});

describe('badge of an appointment', () => {
  it.each([
    ['booked', null, 'Booked'],
    ['cancelled', null, 'Cancelled'],
    ['noshow', null, 'Did not come'],
    ['fulfilled', null, 'Done'],
    ['booked', visit('scheduled'), 'Link ready'],
    ['booked', visit('waiting', { waiting: 1 }), 'Patient is waiting'],
    ['booked', visit('waiting', { admitted: 1 }), 'Patient is waiting'],
    ['booked', visit('waiting', { hosts: 1 }), 'Clinician is in'],
    ['booked', visit('waiting'), 'Opened'],
    ['fulfilled', visit('active', { hosts: 1, admitted: 1 }), 'In visit'],
    ['fulfilled', visit('active', { hosts: 1 }, { pausedSince: '2026-03-02T09:00:00Z' }), 'Paused'],
    ['fulfilled', visit('ended'), 'Done'],
    ['booked', visit('cancelled'), 'Visit cancelled'],
    ['noshow', visit('no_show'), 'Did not come'],
  ] as const)('%s with %o reads the server’s state', (status, of, label) => {
    expect(statusOf({ status, visit: of }).label).toBe(label);
  });

  it('knows which visits can still be joined', () => {
    expect(isOpen({ visit: null })).toBe(false);
    expect(isOpen({ visit: visit('active') })).toBe(true);
    expect(isOpen({ visit: visit('ended') })).toBe(false);
  });

  it('counts who is there', () => {
    expect(presenceWords({ hosts: 0, admitted: 0, waiting: 0 })).toBe('Nobody is in the room');
    expect(presenceWords({ hosts: 1, admitted: 2, waiting: 1 })).toBe('1 clinician, 2 patients and guests, 1 waiting to come in');
  });
});
