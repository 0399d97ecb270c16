import { describe, expect, it } from 'vitest';
import type { Problem } from '../api/problem';
import type { JoinAnswer, LobbyVisit } from '../api/types';
import { initialState, isInCall, reduce, type MeetingEvent, type MeetingState } from './machine';

const visit: LobbyVisit = {
  code: 'K7M2QX9RTD',
  status: 'scheduled',
  orgName: 'Demo Clinic',
  displayName: 'Telehealth consultation',
};
const later: LobbyVisit = { ...visit, status: 'waiting' };
const answer: JoinAnswer = {
  visit: later,
  participantId: 'p1',
  state: 'admitted',
  role: 'guest',
  next: 'media',
  ticket: 'tvt_1',
  authToken: 'a.b.c',
  initEndpoint: null,
};
const problem: Problem = { code: 'room_full', status: 409, title: 'The room is full' };

const states: Record<string, MeetingState> = {
  opening: initialState,
  refused: { phase: 'refused', problem },
  closed: { phase: 'closed', visit: { ...visit, status: 'ended' } },
  lobby: { phase: 'lobby', visit },
  asking: { phase: 'joining', visit },
  dialling: { phase: 'joining', visit: later, answer },
  connected: { phase: 'connected', visit: later, answer },
  reconnecting: { phase: 'reconnecting', visit: later, answer },
  left: { phase: 'left', visit },
  ended: { phase: 'ended', why: 'ended' },
  failed: { phase: 'failed', visit, problem },
};

const events: Record<string, MeetingEvent> = {
  opened: { type: 'opened', visit },
  'opened when over': { type: 'opened', visit: { ...visit, status: 'ended' } },
  refused: { type: 'refused', problem },
  join: { type: 'join' },
  answered: { type: 'answered', answer },
  'refused for now': { type: 'join-refused', problem, final: false },
  'refused for good': { type: 'join-refused', problem, final: true },
  connected: { type: 'connected' },
  'connection lost': { type: 'connection-lost' },
  stuck: { type: 'stuck' },
  left: { type: 'left' },
  ended: { type: 'ended', why: 'ended', reason: 'done' },
  failed: { type: 'failed', problem },
  retry: { type: 'retry' },
};

/** Every pair that moves. A pair that is not here must change nothing. */
const table: Record<string, Partial<Record<string, MeetingState['phase']>>> = {
  opening: { opened: 'lobby', 'opened when over': 'closed', refused: 'refused' },
  refused: { retry: 'opening' },
  closed: {},
  lobby: { join: 'joining' },
  asking: { answered: 'joining', 'refused for now': 'lobby', 'refused for good': 'refused', left: 'left' },
  dialling: {
    'refused for now': 'lobby',
    'refused for good': 'refused',
    connected: 'connected',
    left: 'left',
    ended: 'ended',
    failed: 'failed',
  },
  connected: { 'connection lost': 'reconnecting', left: 'left', ended: 'ended', failed: 'failed' },
  reconnecting: { connected: 'connected', stuck: 'joining', left: 'left', ended: 'ended', failed: 'failed' },
  left: { retry: 'opening' },
  ended: {},
  failed: { retry: 'opening' },
};

describe('visit page', () => {
  for (const [stateName, state] of Object.entries(states)) {
    for (const [eventName, event] of Object.entries(events)) {
      const expected = table[stateName]?.[eventName];
      it(`${stateName} + ${eventName} → ${expected ?? 'unchanged'}`, () => {
        const next = reduce(state, event);
        if (expected === undefined) expect(next).toBe(state);
        else {
          expect(next).not.toBe(state);
          expect(next.phase).toBe(expected);
        }
      });
    }
  }

  it('keeps the answer through a reconnect, so that the same call goes on', () => {
    const lost = reduce(states['connected'] as MeetingState, { type: 'connection-lost' });
    const back = reduce(lost, { type: 'connected' });
    expect(back).toEqual({ phase: 'connected', visit: later, answer });
  });

  it('shows the reason of a refusal in the lobby', () => {
    expect(reduce({ phase: 'joining', visit }, { type: 'join-refused', problem, final: false })).toEqual({
      phase: 'lobby',
      visit,
      problem,
    });
  });

  it('takes the newer view of the visit from the join answer', () => {
    expect(reduce({ phase: 'joining', visit }, { type: 'answered', answer })).toEqual({ phase: 'joining', visit: later, answer });
  });

  it('tells why a visit ended', () => {
    expect(reduce(states['connected'] as MeetingState, { type: 'ended', why: 'removed', reason: 'Wrong person' })).toEqual({
      phase: 'ended',
      why: 'removed',
      reason: 'Wrong person',
    });
  });

  it('shows the lobby of open visits only', () => {
    const phases = (['scheduled', 'waiting', 'active', 'ended', 'cancelled', 'no_show'] as const).map(
      (status) => reduce(initialState, { type: 'opened', visit: { ...visit, status } }).phase,
    );
    expect(phases).toEqual(['lobby', 'lobby', 'lobby', 'closed', 'closed', 'closed']);
  });

  it('says that the SDK owns the devices from the answer to the end', () => {
    const owning = Object.entries(states)
      .filter(([, state]) => isInCall(state))
      .map(([name]) => name);
    expect(owning).toEqual(['dialling', 'connected', 'reconnecting']);
  });
});
