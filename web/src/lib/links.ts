/** Codes as the server reads them: upper case, without the spaces and hyphens people type. */
export const normaliseCode = (code: string): string => code.replace(/[\s-]/g, '').toUpperCase();

export const isCode = (code: string): boolean => /^[A-Z0-9]{6,12}$/.test(code);

export const meetingPath = (code: string): string => `/meeting/${encodeURIComponent(normaliseCode(code))}`;

/** The secret of `#i=tvi_…`. Anything else in the fragment is not ours and is ignored. */
export function inviteFromFragment(fragment: string): string | undefined {
  const invite = new URLSearchParams(fragment.replace(/^#/, '')).get('i');
  return invite && /^[A-Za-z0-9._~-]{8,256}$/.test(invite) ? invite : undefined;
}

/** Splits a host link the API gave into what in-app navigation needs; the secret never enters the address bar. */
export function parseMeetingLink(link: string): { code: string; invite?: string } | undefined {
  let url: URL;
  try {
    url = new URL(link, 'http://localhost');
  } catch {
    return undefined;
  }
  const match = /^\/meeting\/([^/]+)\/?$/.exec(url.pathname);
  if (!match?.[1]) return undefined;
  let code: string;
  try {
    code = normaliseCode(decodeURIComponent(match[1]));
  } catch {
    return undefined;
  }
  return isCode(code) ? { code, invite: inviteFromFragment(url.hash) } : undefined;
}

/** The same page over https, offered when the browser keeps the camera from a plain-http page. */
export function httpsTwin(href: string): string {
  const url = new URL(href);
  url.protocol = 'https:';
  url.hash = '';
  return url.toString();
}
