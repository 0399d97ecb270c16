import { describe, expect, it } from 'vitest';
import { explainRefusal, isFinal, ProblemError, problemFromReply, problemOf, unreachable } from './problem';

describe('problem replies', () => {
  it('keeps what the server said', () => {
    expect(
      problemFromReply(409, { code: 'room_id_invalid', title: 'T', detail: 'D', remedy: 'R', requestId: 'r-1' }, 'r-header'),
    ).toEqual({ code: 'room_id_invalid', status: 409, title: 'T', detail: 'D', remedy: 'R', requestId: 'r-1' });
  });

  it.each([undefined, null, 'text', 7, [], { code: 5, title: ' ' }])('makes sense of a reply that is no problem: %s', (body) => {
    const problem = problemFromReply(502, body, 'r-header');
    expect(problem.code).toBe('http_502');
    expect(problem.title).toContain('502');
    expect(problem.remedy).toBeTruthy();
    expect(problem.requestId).toBe('r-header');
  });

  it('unwraps its own error and names a foreign one', () => {
    expect(problemOf(new ProblemError(unreachable))).toBe(unreachable);
    expect(problemOf(new TypeError('x is not a function'))).toMatchObject({ code: 'page_error', detail: 'x is not a function' });
    expect(problemOf('boom')).toMatchObject({ detail: 'boom' });
  });
});

describe('what a patient reads', () => {
  const codes = [
    'visit_closed',
    'meeting_not_found',
    'visit_not_open_yet',
    'participant_denied',
    'invite_required',
    'identity_required',
    'role_not_allowed',
    'rate_limited',
    'code_lookup_locked',
    'server_unreachable',
    'anything_else',
  ];
  it.each(codes)('%s has a heading, a reason and a next step', (code) => {
    const { heading, body, next } = explainRefusal({ code, status: 400, title: 'Title of the server' });
    expect(heading).toBeTruthy();
    expect(body).toBeTruthy();
    expect(next).toBeTruthy();
  });

  it('prefers the words of the clinic where it gave some', () => {
    expect(explainRefusal({ code: 'participant_denied', status: 403, title: 'T', detail: 'Please call us first.' }).body).toBe(
      'Please call us first.',
    );
  });

  it('offers another try only where it can help', () => {
    expect(isFinal({ code: 'visit_closed', status: 410, title: '' })).toBe(true);
    expect(isFinal({ code: 'rate_limited', status: 429, title: '' })).toBe(false);
    expect(isFinal(unreachable)).toBe(false);
  });
});
