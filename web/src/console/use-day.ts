import { useCallback, useEffect, useRef, useState } from 'react';
import { problemOf, type Problem } from '../api/problem';
import type { Appointment, DemoInfo } from '../api/types';
import { getDemo, listAppointments } from '../api/visits';
import { dayRange } from '../lib/time';

export interface Day {
  demo?: DemoInfo;
  /** undefined until the first answer: then nothing is known, which is not the same as none. */
  appointments?: Appointment[];
  /** The last read failed. What is shown is then older than it looks, and the page says so. */
  problem?: Problem;
  refresh: () => void;
}

const everyMs = 2500;

/** Today's appointments, read again every few seconds while somebody looks at the page. */
export function useDay(): Day {
  const [demo, setDemo] = useState<DemoInfo>();
  const [appointments, setAppointments] = useState<Appointment[]>();
  const [problem, setProblem] = useState<Problem>();
  const kick = useRef<() => void>(() => undefined);

  useEffect(() => {
    const abort = new AbortController();
    let timer: number | undefined;
    let known: DemoInfo | undefined;
    let running = false;

    const read = async () => {
      if (running || abort.signal.aborted) return;
      running = true;
      window.clearTimeout(timer);
      try {
        if (!known) {
          known = await getDemo(abort.signal);
          setDemo(known);
        }
        const { from, to } = dayRange(new Date());
        const found = await listAppointments(known.orgId, from, to, abort.signal);
        setAppointments(found.slice().sort((a, b) => Date.parse(a.start) - Date.parse(b.start)));
        setProblem(undefined);
      } catch (error) {
        if (abort.signal.aborted) return;
        setProblem(problemOf(error));
      } finally {
        running = false;
      }
      if (!document.hidden) timer = window.setTimeout(() => void read(), everyMs);
    };

    const onVisible = () => {
      window.clearTimeout(timer);
      if (!document.hidden) void read();
    };
    kick.current = () => void read();
    document.addEventListener('visibilitychange', onVisible);
    void read();
    return () => {
      abort.abort();
      window.clearTimeout(timer);
      document.removeEventListener('visibilitychange', onVisible);
    };
  }, []);

  const refresh = useCallback(() => kick.current(), []);
  return { demo, appointments, problem, refresh };
}
