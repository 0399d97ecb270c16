import { lazy, Suspense, useCallback, useEffect, useReducer, useRef, useState } from 'react';
import { useNavigate, useParams } from 'react-router-dom';
import { isFinal, ProblemError, problemOf, type Problem } from '../api/problem';
import type { JoinAnswer } from '../api/types';
import { join, leave, lookUp, refresh } from '../api/visits';
import { inviteFromFragment, normaliseCode } from '../lib/links';
import { isTokenFresh } from '../lib/token';
import { loadChoices, saveChoices, type MediaChoices } from '../media/preferences';
import { Closed, Failed, Joining, Left, Opening, Over, Refused } from './endings';
import { Lobby } from './lobby';
import { initialState, isClosed, isInCall, reduce } from './machine';
import {
  closeSession,
  forgetSession,
  loadName,
  loadSession,
  saveName,
  saveSession,
  takeHandover,
  updateSession,
  type StaffRights,
  type TabSession,
} from './session';
import '../styles/visit.css';

const Call = lazy(() => import('../call/call'));

/** What joining needs beside the code. Lives in memory; the copy for a reload is in sessionStorage. */
interface Person {
  displayName: string;
  invite?: string;
  staff?: StaffRights;
}

const noToken = (answer: JoinAnswer): Problem => ({
  code: `next_${answer.next}`,
  status: 0,
  title: answer.next === 'closed' ? 'This visit is over' : 'The clinic has not opened the video for you yet',
  detail: `The server answered “${answer.next}” and gave no access to the video room.`,
  remedy: 'Wait a moment and try again, or call the clinic.',
});

/**
 * After a reload: the same participant again. The ticket knows the role the person has by now; a ticket that ran out
 * leaves the media token, as long as that lives. Undefined means that the person has to join anew.
 */
async function resume(stored: TabSession): Promise<JoinAnswer | undefined> {
  if (stored.ticket) {
    try {
      const answer = await refresh(stored.ticket);
      if (answer.authToken) return answer;
    } catch (error) {
      const unusable = error instanceof ProblemError && (error.problem.status === 401 || error.problem.status === 404);
      if (!unusable) throw error;
    }
  }
  return stored.answer?.authToken && isTokenFresh(stored.answer.authToken, Date.now()) ? stored.answer : undefined;
}

export default function MeetingPage() {
  const { code = '' } = useParams();
  // A different code is a different visit: start from nothing.
  return <Meeting key={normaliseCode(code)} code={normaliseCode(code)} />;
}

function Meeting({ code }: { code: string }) {
  const navigate = useNavigate();
  const [state, dispatch] = useReducer(reduce, initialState);
  const [choices, setChoices] = useState<MediaChoices>(loadChoices);
  const person = useRef<Person>({ displayName: '' });
  const straightIn = useRef(false);
  const started = useRef(false);

  // Reads the link once: the secret leaves the address bar before anything else happens.
  if (!started.current) {
    started.current = true;
    const stored = loadSession(code);
    const handover = takeHandover(code);
    const invite = inviteFromFragment(window.location.hash);
    if (window.location.hash)
      window.history.replaceState(window.history.state, '', window.location.pathname + window.location.search);
    if (handover) {
      person.current = handover;
      straightIn.current = true;
    } else if (invite && invite !== stored?.invite) {
      person.current = { displayName: loadName(), invite };
    } else if (stored) {
      person.current = { displayName: stored.displayName, invite: stored.invite, staff: stored.staff };
      straightIn.current = stored.inside;
    } else {
      person.current = { displayName: loadName() };
    }
  }

  // A personal link pasted over this page changes only the fragment: start again with it.
  useEffect(() => {
    const onHash = () => {
      if (inviteFromFragment(window.location.hash)) window.location.reload();
    };
    window.addEventListener('hashchange', onHash);
    return () => window.removeEventListener('hashchange', onHash);
  }, []);

  useEffect(() => {
    if (state.phase !== 'opening') return;
    const abort = new AbortController();
    lookUp(code, abort.signal).then(
      (visit) => {
        document.title = `${visit.displayName} · Televisit`;
        if (isClosed(visit)) closeSession(code);
        dispatch({ type: 'opened', visit });
      },
      (error: unknown) => {
        if (!abort.signal.aborted) dispatch({ type: 'refused', problem: problemOf(error) });
      },
    );
    return () => abort.abort();
  }, [code, state.phase]);

  const ask = useCallback(
    async (chosen: MediaChoices) => {
      const { displayName, invite, staff } = person.current;
      const stored = loadSession(code);
      try {
        const answer = (stored?.inside && (await resume(stored))) || (await join(code, displayName, invite));
        if (!answer.authToken) {
          dispatch({ type: 'join-refused', problem: noToken(answer), final: answer.next === 'closed' });
          return;
        }
        saveSession(code, {
          inside: true,
          displayName,
          invite,
          staff,
          ticket: answer.ticket,
          answer,
          microphone: chosen.microphone,
          camera: chosen.camera,
        });
        dispatch({ type: 'answered', answer });
      } catch (error) {
        closeSession(code);
        const problem = problemOf(error);
        dispatch({ type: 'join-refused', problem, final: isFinal(problem) });
      }
    },
    [code],
  );

  // From the console, or after a reload inside a visit: no second lobby.
  useEffect(() => {
    if (state.phase !== 'lobby' || !straightIn.current) return;
    straightIn.current = false;
    const stored = loadSession(code);
    // A mute made earlier in this visit holds over the preference of the device.
    const resumed = stored ? { ...loadChoices(), microphone: stored.microphone, camera: stored.camera } : loadChoices();
    setChoices(resumed);
    dispatch({ type: 'join' });
    void ask(resumed);
  }, [state.phase, code, ask]);

  const onJoin = (displayName: string, chosen: MediaChoices) => {
    person.current = { ...person.current, displayName };
    saveName(displayName);
    saveChoices(chosen);
    setChoices(chosen);
    dispatch({ type: 'join' });
    void ask(chosen);
  };

  const retry = (without: 'lobby' | 'nothing') => {
    straightIn.current = without === 'lobby';
    dispatch({ type: 'retry' });
  };

  const leaveForGood = () => {
    forgetSession(code);
    navigate('/');
  };

  if (isInCall(state)) {
    const { answer, visit } = state;
    return (
      <Suspense fallback={<Joining visit={visit} />}>
        <Call
          key={answer.authToken}
          phase={state.phase}
          visit={visit}
          answer={answer}
          displayName={person.current.displayName}
          choices={choices}
          staff={person.current.staff}
          onConnected={() => dispatch({ type: 'connected' })}
          onConnectionLost={() => dispatch({ type: 'connection-lost' })}
          onStuck={() => {
            const stored = loadSession(code);
            const now = stored ? { ...choices, microphone: stored.microphone, camera: stored.camera } : choices;
            setChoices(now);
            dispatch({ type: 'stuck' });
            void ask(now);
          }}
          onMediaChange={(microphone, camera) => updateSession(code, { microphone, camera })}
          onLeft={() => {
            // Tells the clinic sooner; the server notices the closed connection in any case.
            if (answer.ticket) void leave(answer.ticket).catch(() => undefined);
            closeSession(code);
            dispatch({ type: 'left' });
          }}
          onEnded={(why, reason) => {
            closeSession(code);
            dispatch({ type: 'ended', why, reason });
          }}
          onFailed={(problem) => {
            closeSession(code);
            dispatch({ type: 'failed', problem });
          }}
        />
      </Suspense>
    );
  }

  switch (state.phase) {
    case 'opening':
      return <Opening />;
    case 'refused':
      return <Refused problem={state.problem} onRetry={isFinal(state.problem) ? undefined : () => retry('nothing')} />;
    case 'closed':
      return <Closed visit={state.visit} onHome={person.current.staff ? leaveForGood : undefined} />;
    case 'lobby':
      if (straightIn.current) return <Joining visit={state.visit} />;
      return (
        <Lobby
          visit={state.visit}
          asStaff={person.current.staff !== undefined}
          name={person.current.displayName}
          choices={choices}
          problem={state.problem}
          onJoin={onJoin}
        />
      );
    case 'joining':
      return <Joining visit={state.visit} />;
    case 'left':
      return (
        <Left visit={state.visit} onRejoin={() => retry('nothing')} onHome={person.current.staff ? leaveForGood : undefined} />
      );
    case 'ended':
      return <Over why={state.why} reason={state.reason} onHome={person.current.staff ? leaveForGood : undefined} />;
    case 'failed':
      return (
        <Failed
          problem={state.problem}
          onRetry={() => retry('lobby')}
          onLobby={() => retry('nothing')}
          onHome={person.current.staff ? leaveForGood : undefined}
        />
      );
    default:
      return null;
  }
}
