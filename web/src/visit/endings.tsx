import { CircleCheck, DoorClosed, PhoneOff } from 'lucide-react';
import { useEffect, useRef, type ReactNode } from 'react';
import { explainRefusal, type Problem } from '../api/problem';
import type { LobbyVisit, VisitStatus } from '../api/types';
import { Brand } from '../ui/brand';
import { Button } from '../ui/button';
import { ProblemNotice } from '../ui/notice';

function Message({
  icon,
  heading,
  children,
  testId,
  actions,
}: {
  icon?: ReactNode;
  heading: string;
  children?: ReactNode;
  testId: string;
  actions?: ReactNode;
}) {
  const title = useRef<HTMLHeadingElement>(null);
  // The page changed under the reader: put the focus where the news is.
  useEffect(() => title.current?.focus(), []);
  return (
    <main className="page-centre">
      <div className="card card-narrow message" data-testid={testId}>
        <Brand />
        {icon && <span className="message-icon">{icon}</span>}
        <h1 ref={title} tabIndex={-1}>
          {heading}
        </h1>
        {children}
        {actions && <div className="message-actions">{actions}</div>}
      </div>
    </main>
  );
}

export function Opening() {
  return (
    <main className="page-centre" data-testid="visit-opening">
      <h1 className="sr-only">Opening the visit</h1>
      <span className="spinner" aria-hidden />
      <p role="status">Looking up the visit…</p>
    </main>
  );
}

export function Joining({ visit, onCancel }: { visit: LobbyVisit; onCancel?: () => void }) {
  return (
    <main className="page-centre" data-testid="visit-joining">
      <h1 className="sr-only">{visit.displayName}</h1>
      <span className="spinner" aria-hidden />
      <p role="status">Joining the visit…</p>
      {onCancel && (
        <Button onPress={onCancel} data-testid="join-cancel">
          Cancel
        </Button>
      )}
    </main>
  );
}

export function Refused({ problem, onRetry }: { problem: Problem; onRetry?: () => void }) {
  const { heading, body, next } = explainRefusal(problem);
  return (
    <Message
      icon={<DoorClosed aria-hidden size={28} />}
      heading={heading}
      testId="visit-refused"
      actions={
        onRetry && (
          <Button tone="primary" onPress={onRetry} data-testid="visit-retry">
            Try again
          </Button>
        )
      }
    >
      <p>{body}</p>
      <p className="message-next">{next}</p>
      {problem.requestId && (
        <p className="fine-print">
          <code data-testid="problem-code">{problem.code}</code> · request{' '}
          <code data-testid="problem-request-id">{problem.requestId}</code>
        </p>
      )}
    </Message>
  );
}

const Home = ({ onHome }: { onHome?: () => void }) =>
  onHome ? (
    <Button onPress={onHome} data-testid="visit-home">
      Back to today’s appointments
    </Button>
  ) : null;

export function Left({ visit, onRejoin, onHome }: { visit: LobbyVisit; onRejoin: () => void; onHome?: () => void }) {
  return (
    <Message
      icon={<PhoneOff aria-hidden size={28} />}
      heading="You left the visit"
      testId="visit-left"
      actions={
        <>
          <Button tone="primary" onPress={onRejoin} data-testid="visit-rejoin">
            Join again
          </Button>
          <Home onHome={onHome} />
        </>
      }
    >
      <p>Your camera and microphone are off. The visit with {visit.orgName} may still be going on.</p>
    </Message>
  );
}

export function Over({ why, reason, onHome }: { why: 'ended' | 'removed'; reason?: string; onHome?: () => void }) {
  return (
    <Message
      icon={<CircleCheck aria-hidden size={28} />}
      heading={why === 'ended' ? 'The visit is over' : 'You were removed from the visit'}
      testId="visit-over"
      actions={<Home onHome={onHome} />}
    >
      <p>
        {why === 'ended'
          ? 'It was ended for everyone. Your camera and microphone are off.'
          : 'The clinician removed you. Your camera and microphone are off.'}
      </p>
      {/* The server's own note is no news for people. */}
      {reason && reason !== 'visit ended' && <p data-testid="visit-over-reason">“{reason}”</p>}
      {!onHome && <p className="message-next">You can close this page.</p>}
    </Message>
  );
}

const closings: Partial<Record<VisitStatus, [heading: string, body: string]>> = {
  ended: ['This visit is over', 'It has ended, so nobody can join it any more.'],
  cancelled: ['This visit was cancelled', 'It does not take place, so nobody can join it.'],
  no_show: ['This visit did not take place', 'The clinic closed it, so nobody can join it any more.'],
};

/** The link of a visit that had been closed before this page was opened. */
export function Closed({ visit, onHome }: { visit: LobbyVisit; onHome?: () => void }) {
  const [heading, body] = closings[visit.status] ?? ['This visit is over', 'Nobody can join it any more.'];
  return (
    <Message
      icon={<DoorClosed aria-hidden size={28} />}
      heading={heading}
      testId="visit-closed"
      actions={<Home onHome={onHome} />}
    >
      <p>{body}</p>
      <p className="message-next">
        {onHome
          ? 'Start a new call from today’s appointments.'
          : `If you still need to talk to ${visit.orgName}, ask for a new link.`}
      </p>
    </Message>
  );
}

export function Failed({
  problem,
  onRetry,
  onLobby,
  onHome,
}: {
  problem: Problem;
  onRetry: () => void;
  onLobby: () => void;
  onHome?: () => void;
}) {
  return (
    <Message
      heading="The video connection failed"
      testId="visit-failed"
      actions={
        <>
          <Button tone="primary" onPress={onRetry} data-testid="visit-retry">
            Join again
          </Button>
          <Button onPress={onLobby} data-testid="visit-lobby">
            Check camera and microphone
          </Button>
          <Home onHome={onHome} />
        </>
      }
    >
      <ProblemNotice problem={problem} />
    </Message>
  );
}
