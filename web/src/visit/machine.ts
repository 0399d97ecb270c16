import type { Problem } from '../api/problem';
import type { JoinAnswer, LobbyVisit } from '../api/types';

/**
 * The states of the visit page, as a plain reducer. docs of the transitions are the table of machine.test.ts.
 *
 *   opening → lobby → joining → connected ⇄ reconnecting → left | ended | failed
 *      │└→ closed       └→ lobby (the server said no, another try may help)
 *      └→ refused              ↑ joins anew when a reconnect is stuck
 *
 * Only what was observed moves it: an answer of the server, a state of the SDK, a click of the user.
 */
export type MeetingState =
  | { phase: 'opening' }
  | { phase: 'refused'; problem: Problem }
  | { phase: 'closed'; visit: LobbyVisit }
  | { phase: 'lobby'; visit: LobbyVisit; problem?: Problem }
  | { phase: 'joining'; visit: LobbyVisit; answer?: JoinAnswer }
  | { phase: 'connected'; visit: LobbyVisit; answer: JoinAnswer }
  | { phase: 'reconnecting'; visit: LobbyVisit; answer: JoinAnswer }
  | { phase: 'left'; visit: LobbyVisit }
  | { phase: 'ended'; why: 'ended' | 'removed'; reason?: string }
  | { phase: 'failed'; visit: LobbyVisit; problem: Problem };

export type MeetingEvent =
  | { type: 'opened'; visit: LobbyVisit }
  | { type: 'refused'; problem: Problem }
  | { type: 'join' }
  | { type: 'answered'; answer: JoinAnswer }
  | { type: 'join-refused'; problem: Problem; final: boolean }
  | { type: 'connected' }
  | { type: 'connection-lost' }
  | { type: 'stuck' }
  | { type: 'left' }
  | { type: 'ended'; why: 'ended' | 'removed'; reason?: string }
  | { type: 'failed'; problem: Problem }
  | { type: 'retry' };

export const initialState: MeetingState = { phase: 'opening' };

/** Ended, cancelled or nobody came: the server lets nobody in again. */
export const isClosed = ({ status }: Pick<LobbyVisit, 'status'>): boolean =>
  status === 'ended' || status === 'cancelled' || status === 'no_show';

/** True while the SDK owns camera, microphone and socket. */
export const isInCall = (
  state: MeetingState,
): state is
  Extract<MeetingState, { phase: 'connected' | 'reconnecting' }> | (MeetingState & { phase: 'joining'; answer: JoinAnswer }) =>
  state.phase === 'connected' || state.phase === 'reconnecting' || (state.phase === 'joining' && state.answer !== undefined);

/** An event that does not belong to the state leaves it as it is: a late answer must not revive a visit that was left. */
export function reduce(state: MeetingState, event: MeetingEvent): MeetingState {
  switch (event.type) {
    case 'opened':
      // Nobody checks a camera for a visit that cannot be joined any more.
      return state.phase === 'opening' ? { phase: isClosed(event.visit) ? 'closed' : 'lobby', visit: event.visit } : state;
    case 'refused':
      return state.phase === 'opening' ? { phase: 'refused', problem: event.problem } : state;
    case 'join':
      return state.phase === 'lobby' ? { phase: 'joining', visit: state.visit } : state;
    case 'answered':
      return state.phase === 'joining' && !state.answer
        ? { phase: 'joining', visit: event.answer.visit, answer: event.answer }
        : state;
    case 'join-refused':
      if (state.phase !== 'joining') return state;
      return event.final
        ? { phase: 'refused', problem: event.problem }
        : { phase: 'lobby', visit: state.visit, problem: event.problem };
    case 'connected':
      if (state.phase === 'reconnecting') return { ...state, phase: 'connected' };
      return state.phase === 'joining' && state.answer ? { phase: 'connected', visit: state.visit, answer: state.answer } : state;
    case 'connection-lost':
      return state.phase === 'connected' ? { ...state, phase: 'reconnecting' } : state;
    case 'stuck':
      return state.phase === 'reconnecting' ? { phase: 'joining', visit: state.visit } : state;
    case 'left':
      return isInCall(state) || state.phase === 'joining' ? { phase: 'left', visit: state.visit } : state;
    case 'ended':
      return isInCall(state) ? { phase: 'ended', why: event.why, reason: event.reason } : state;
    case 'failed':
      return isInCall(state) ? { phase: 'failed', visit: state.visit, problem: event.problem } : state;
    case 'retry':
      return state.phase === 'refused' || state.phase === 'left' || state.phase === 'failed' ? { phase: 'opening' } : state;
  }
}
