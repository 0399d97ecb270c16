/** One shape for everything that can go wrong, whether the server said so or the network did. */
export interface Problem {
  code: string;
  status: number;
  title: string;
  detail?: string;
  remedy?: string;
  requestId?: string;
}

export class ProblemError extends Error {
  constructor(readonly problem: Problem) {
    super(problem.title);
    this.name = 'ProblemError';
  }
}

const text = (value: unknown): string | undefined => (typeof value === 'string' && value.trim() !== '' ? value : undefined);

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Reads an RFC 9457 reply; a reply that is none still gets a title, a remedy and its request id. */
export function problemFromReply(status: number, body: unknown, requestId?: string | null): Problem {
  const record = isRecord(body) ? body : {};
  const code = text(record['code']) ?? `http_${status}`;
  return {
    code,
    status,
    title: text(record['title']) ?? `The server answered with an error (${status})`,
    detail: text(record['detail']),
    remedy:
      text(record['remedy']) ??
      (status >= 500 ? 'Try again in a moment. If it stays so, give the request id to your administrator.' : undefined),
    requestId: text(record['requestId']) ?? requestId ?? undefined,
  };
}

export const unreachable: Problem = {
  code: 'server_unreachable',
  status: 0,
  title: 'The server cannot be reached',
  detail: 'No answer came back. The server may be restarting, or this device is offline.',
  remedy: 'Check the network connection. The page tries again by itself where it can.',
};

export function problemOf(error: unknown): Problem {
  if (error instanceof ProblemError) return error.problem;
  return {
    code: 'page_error',
    status: 0,
    title: 'Something went wrong in this page',
    detail: error instanceof Error ? error.message : String(error),
    remedy: 'Reload the page. If it happens again, tell your administrator what you see here.',
  };
}

export interface Explanation {
  heading: string;
  body: string;
  next: string;
}

/** What a patient reads when the door stays closed: no jargon, one next step. */
export function explainRefusal(problem: Problem): Explanation {
  switch (problem.code) {
    case 'visit_closed':
      return {
        heading: 'This visit is over',
        body: 'It has ended or was cancelled, so nobody can join it any more.',
        next: 'If you still need to talk to the clinic, ask for a new link.',
      };
    case 'meeting_not_found':
      return {
        heading: 'This link does not lead to an open visit',
        body: 'The code may be mistyped, or the visit is already over.',
        next: 'Open the link from your message again, or ask the clinic for a new one.',
      };
    case 'visit_not_open_yet':
      return {
        heading: 'You are early',
        body: problem.detail ?? 'This visit does not accept people yet.',
        next: 'Come back shortly before the appointment with the same link.',
      };
    case 'participant_denied':
      return {
        heading: 'The clinic did not let you in',
        body: problem.detail ?? 'The clinician declined the request to join.',
        next: 'Please call the clinic.',
      };
    case 'invite_required':
    case 'identity_required':
    case 'role_not_allowed':
      return {
        heading: 'This visit needs your personal link',
        body: problem.detail ?? 'The code alone is not enough to join.',
        next: 'Open the personal link the clinic sent you, or ask for a new one.',
      };
    case 'rate_limited':
    case 'code_lookup_locked':
      return {
        heading: 'Too many tries',
        body: 'There were too many attempts from this network in a short time.',
        next: 'Wait a few minutes and open the link again.',
      };
    case 'server_unreachable':
      return { heading: unreachable.title, body: unreachable.detail ?? '', next: 'Check your connection, then try again.' };
    default:
      return {
        heading: problem.title,
        body: problem.detail ?? 'The visit cannot be opened right now.',
        next: problem.remedy ?? 'Try again in a moment, or call the clinic.',
      };
  }
}

/** A refusal that no second try with the same link can change. */
export const isFinal = (problem: Problem): boolean =>
  [
    'visit_closed',
    'meeting_not_found',
    'participant_denied',
    'invite_required',
    'identity_required',
    'role_not_allowed',
  ].includes(problem.code);
