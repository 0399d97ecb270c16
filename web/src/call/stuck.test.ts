import { describe, expect, it } from 'vitest';
import { graceMs, reconnectIsStuck } from './stuck';

/** Plays a sequence of answers, one per second; the last one stays. */
function watch(answers: boolean[], backAfterMs = Infinity) {
  let clock = 0;
  let asked = 0;
  const result = reconnectIsStuck(() => clock >= backAfterMs, {
    reachable: () => Promise.resolve(answers[Math.min(asked++, answers.length - 1)] ?? false),
    wait: (ms) => {
      clock += ms;
      if (clock > 60_000) throw new Error('watched for too long');
      return Promise.resolve();
    },
    now: () => clock,
  });
  return result.then((stuck) => ({ stuck, clock }));
}

describe('a reconnect', () => {
  it('is stuck when the server answers for the grace time', async () => {
    expect(await watch([true])).toEqual({ stuck: true, clock: 1000 + graceMs });
  });
  it('counts from the first answer after the outage', async () => {
    expect(await watch([false, false, false, true])).toEqual({ stuck: true, clock: 4000 + graceMs });
  });
  it('counts anew when the server goes away again', async () => {
    expect(await watch([true, true, false, true])).toEqual({ stuck: true, clock: 4000 + graceMs });
  });
  it('is left alone when the SDK is back in time', async () => {
    expect(await watch([true], 1000 + graceMs)).toMatchObject({ stuck: false });
  });
  it('waits as long as nothing answers', async () => {
    expect(await watch([false], 50_000)).toMatchObject({ stuck: false });
  });
});
