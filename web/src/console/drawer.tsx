import { Check, Copy, Video, X } from 'lucide-react';
import { useEffect, useRef, useState } from 'react';
import { Dialog, Heading, Modal, ModalOverlay } from 'react-aria-components';
import { problemOf, type Problem } from '../api/problem';
import type { Appointment, Visit } from '../api/types';
import { createForAppointment, endVisit } from '../api/visits';
import { formatDuration, formatTime, minutesBetween } from '../lib/time';
import { Button } from '../ui/button';
import { Confirm } from '../ui/confirm';
import { useCopy } from '../ui/copy';
import { ProblemNotice } from '../ui/notice';
import { startVisit } from './start';
import { isOpen, presenceWords } from './status';
import { StatusBadge } from './status-badge';

export interface DrawerProps {
  orgId: string;
  appointment?: Appointment;
  onClose: () => void;
  onChanged: () => void;
  onEnter: (path: string) => void;
}

export function AppointmentDrawer({ appointment, onClose, ...rest }: DrawerProps) {
  return (
    <ModalOverlay
      className="overlay overlay-drawer"
      isOpen={appointment !== undefined}
      onOpenChange={(open) => !open && onClose()}
      isDismissable
    >
      <Modal className="drawer">
        <Dialog className="drawer-dialog" data-testid="drawer">
          {appointment && <Details key={appointment.id} appointment={appointment} onClose={onClose} {...rest} />}
        </Dialog>
      </Modal>
    </ModalOverlay>
  );
}

function Details({ orgId, appointment, onClose, onChanged, onEnter }: DrawerProps & { appointment: Appointment }) {
  const [busy, setBusy] = useState<'start' | 'link' | 'end'>();
  const [problem, setProblem] = useState<Problem>();
  const [confirming, setConfirming] = useState(false);
  const { visit } = appointment;
  const open = isOpen(appointment);
  const length = minutesBetween(appointment.start, appointment.end);

  const run = async (what: 'start' | 'link' | 'end', action: () => Promise<void>) => {
    setBusy(what);
    setProblem(undefined);
    try {
      await action();
    } catch (error) {
      setProblem(problemOf(error));
    } finally {
      setBusy(undefined);
    }
  };

  const start = () => run('start', async () => onEnter(await startVisit(orgId, appointment)));
  const end = () =>
    run('end', async () => {
      if (visit) await endVisit(orgId, visit.id);
      onChanged();
    }).finally(() => setConfirming(false));

  return (
    <>
      <header className="drawer-head">
        <div>
          <p className="eyebrow">
            {formatTime(appointment.start)} to {formatTime(appointment.end)}
            {length !== undefined && ` · ${length} min`}
          </p>
          <Heading slot="title" className="drawer-title" data-testid="drawer-title">
            {appointment.patient?.name ?? 'No patient'}
          </Heading>
          <StatusBadge appointment={appointment} />
        </div>
        <Button className="icon-button" aria-label="Close" onPress={onClose} data-testid="drawer-close">
          <X aria-hidden size={20} />
        </Button>
      </header>

      <dl className="facts">
        <dt>Practitioner</dt>
        <dd>{appointment.practitioner?.name ?? 'None'}</dd>
        <dt>Reason</dt>
        <dd>{appointment.reason ?? 'Not given'}</dd>
        {visit && open && (
          <>
            <dt>In the room</dt>
            <dd data-testid="drawer-presence" aria-live="polite">
              {presenceWords(visit.presence)}
            </dd>
          </>
        )}
        {visit?.startedAt && (
          <>
            <dt>{visit.endedAt ? 'Took' : 'Running for'}</dt>
            <dd>
              {visit.endedAt ? (
                formatDuration(Date.parse(visit.endedAt) - Date.parse(visit.startedAt))
              ) : (
                <Running since={visit.startedAt} />
              )}
            </dd>
          </>
        )}
        {visit && (
          <>
            <dt>Visit code</dt>
            <dd>
              <code data-testid="drawer-code">{visit.code}</code>
            </dd>
          </>
        )}
      </dl>

      {problem && <ProblemNotice problem={problem} testId="drawer-problem" />}

      <div className="drawer-actions">
        <Button tone="primary" size="large" isDisabled={busy !== undefined} onPress={() => void start()} data-testid="start-call">
          <Video aria-hidden size={20} />
          {busy === 'start'
            ? 'Starting…'
            : open && visit?.presence.hosts
              ? 'Join video call'
              : visit && !open
                ? 'Start a new video call'
                : 'Start video call'}
        </Button>
        <PatientLink
          visit={open ? visit : null}
          busy={busy !== undefined}
          onCreate={() =>
            run('link', async () => {
              await createForAppointment(orgId, appointment.id, visit !== null);
              onChanged();
            })
          }
        />
        {visit && open && (
          <Button
            className="drawer-end"
            isDisabled={busy !== undefined}
            onPress={() => setConfirming(true)}
            data-testid="end-visit"
          >
            End visit
          </Button>
        )}
      </div>
      <Confirm
        isOpen={confirming}
        heading="End this visit?"
        action="End visit"
        busy={busy === 'end'}
        onConfirm={() => void end()}
        onCancel={() => setConfirming(false)}
        testId="end-visit-confirm"
      >
        <p>
          {visit && visit.presence.hosts + visit.presence.admitted + visit.presence.waiting > 0
            ? `In the room now: ${presenceWords(visit.presence)}. Everybody is disconnected and the link stops working.`
            : 'The link stops working. A new call for this appointment gets a new link.'}
        </p>
      </Confirm>
    </>
  );
}

function PatientLink({ visit, busy, onCreate }: { visit: Visit | null; busy: boolean; onCreate: () => Promise<void> }) {
  const { copied, failed, copy } = useCopy();
  const field = useRef<HTMLInputElement>(null);
  useEffect(() => {
    if (failed) field.current?.select();
  }, [failed]);
  if (!visit) {
    return (
      <Button isDisabled={busy} onPress={() => void onCreate()} data-testid="create-link">
        Create the patient link
      </Button>
    );
  }
  return (
    <div className="link-box">
      <label className="field-label" htmlFor="patient-link">
        Patient link
      </label>
      <div className="link-row">
        <input
          id="patient-link"
          ref={field}
          className="input"
          readOnly
          value={visit.publicLink}
          data-testid="patient-link"
          onFocus={(event) => event.currentTarget.select()}
        />
        <Button onPress={() => void copy(visit.publicLink)} data-testid="copy-link">
          {copied ? <Check aria-hidden size={18} /> : <Copy aria-hidden size={18} />}
          {copied ? 'Copied' : 'Copy'}
        </Button>
      </div>
      <p className="fine-print" role="status">
        {copied ? 'The link is in the clipboard.' : failed ? 'The browser refused. The link is selected: press Ctrl+C.' : ''}
      </p>
    </div>
  );
}

function Running({ since }: { since: string }) {
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    const timer = window.setInterval(() => setNow(Date.now()), 1000);
    return () => window.clearInterval(timer);
  }, []);
  return <span>{formatDuration(now - Date.parse(since))}</span>;
}
