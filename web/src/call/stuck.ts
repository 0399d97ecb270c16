/** What the watch needs from its surroundings; tests give their own. */
export interface StuckWatch {
  /** True when the server answers. */
  reachable: () => Promise<boolean>;
  wait: (ms: number) => Promise<void>;
  now: () => number;
}

/** With the server in reach the SDK needs about two seconds to be back; this is twice that. */
export const graceMs = 4_000;
const everyMs = 1_000;

/**
 * Resolves true when a reconnect is stuck: the server has been answering for a while and the SDK still is not back.
 * The SDK waits for ever when the server replaces its connection in the middle of an offer: promises of a closed
 * RTCPeerConnection never settle. Resolves false when `stopped` says that there is nothing to watch any more.
 */
export async function reconnectIsStuck(stopped: () => boolean, { reachable, wait, now }: StuckWatch): Promise<boolean> {
  let since: number | undefined;
  for (;;) {
    await wait(everyMs);
    if (stopped()) return false;
    const answers = await reachable();
    if (stopped()) return false;
    if (!answers) since = undefined;
    else if (since === undefined) since = now();
    else if (now() - since >= graceMs) return true;
  }
}

export const ofThisPage: StuckWatch = {
  reachable: () =>
    fetch('/favicon.svg', { method: 'HEAD', cache: 'no-store' }).then(
      (reply) => reply.ok,
      () => false,
    ),
  wait: (ms) => new Promise((resolve) => window.setTimeout(resolve, ms)),
  now: () => performance.now(),
};
