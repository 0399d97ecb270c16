import { ProblemError, problemFromReply, unreachable } from './problem';

export interface CallOptions {
  method?: 'GET' | 'POST';
  body?: unknown;
  orgId?: string;
  signal?: AbortSignal;
  idempotencyKey?: string;
  /** Join ticket of a participant. */
  ticket?: string;
  /** Lets the request outlive the page. */
  keepalive?: boolean;
}

const parse = (text: string): unknown => {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
};

/** Calls the API of our own origin. Fails with ProblemError, or with the AbortError of the caller's own signal. */
export async function call<T>(path: string, options: CallOptions = {}): Promise<T> {
  const headers: Record<string, string> = { accept: 'application/json' };
  if (options.body !== undefined) headers['content-type'] = 'application/json';
  if (options.orgId) headers['x-org-id'] = options.orgId;
  if (options.idempotencyKey) headers['idempotency-key'] = options.idempotencyKey;
  if (options.ticket) headers['authorization'] = `Bearer ${options.ticket}`;
  let reply: Response;
  let text: string;
  try {
    reply = await fetch(path, {
      method: options.method ?? 'GET',
      headers,
      body: options.body === undefined ? undefined : JSON.stringify(options.body),
      signal: options.signal,
      credentials: 'same-origin',
      cache: 'no-store',
      keepalive: options.keepalive,
    });
    text = await reply.text();
  } catch (error) {
    if (options.signal?.aborted) throw error;
    throw new ProblemError(unreachable);
  }
  const body = parse(text);
  if (!reply.ok) throw new ProblemError(problemFromReply(reply.status, body, reply.headers.get('x-request-id')));
  if (body === undefined && text !== '') {
    throw new ProblemError({
      code: 'reply_unreadable',
      status: reply.status,
      title: 'The server sent an answer this page cannot read',
      remedy: 'Reload the page. If it stays so, the server and the web app may be of different versions.',
      requestId: reply.headers.get('x-request-id') ?? undefined,
    });
  }
  return body as T;
}

/** crypto.randomUUID exists in secure contexts only; getRandomValues is everywhere. */
export function newKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
