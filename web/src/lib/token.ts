/**
 * Reads `exp` of a media token, to know when a stored one is of no more use. The server alone decides validity.
 * Unreadable means expired: then the page asks /join again.
 */
export function isTokenFresh(token: string, nowMs: number, marginMs = 30_000): boolean {
  const payload = token.split('.')[1];
  if (!payload) return false;
  try {
    const claims = JSON.parse(atob(payload.replace(/-/g, '+').replace(/_/g, '/'))) as { exp?: unknown };
    return typeof claims.exp === 'number' && claims.exp * 1000 > nowMs + marginMs;
  } catch {
    return false;
  }
}
