import { CalendarDays, Stethoscope, Video } from 'lucide-react';
import { useEffect, useState } from 'react';
import { useNavigate } from 'react-router-dom';
import { problemOf, type Problem } from '../api/problem';
import type { Appointment } from '../api/types';
import { formatDay, formatTime } from '../lib/time';
import { Brand } from '../ui/brand';
import { Button } from '../ui/button';
import { ProblemNotice } from '../ui/notice';
import { AppointmentDrawer } from './drawer';
import { startInstantVisit } from './start';
import { StatusBadge } from './status-badge';
import { useDay } from './use-day';
import '../styles/console.css';

export default function ConsolePage() {
  const { demo, appointments, problem, refresh } = useDay();
  const navigate = useNavigate();
  const [openId, setOpenId] = useState<string>();
  const [starting, setStarting] = useState(false);
  const [startProblem, setStartProblem] = useState<Problem>();
  const open = appointments?.find((appointment) => appointment.id === openId);

  useEffect(() => {
    document.title = 'Today · Televisit';
  }, []);

  const startInstant = async () => {
    if (!demo) return;
    setStarting(true);
    setStartProblem(undefined);
    try {
      navigate(await startInstantVisit(demo.orgId, 'Clinician'));
    } catch (error) {
      setStartProblem(problemOf(error));
      setStarting(false);
    }
  };

  return (
    <>
      {demo?.banner && (
        <aside className="open-banner" aria-label="Security notice" data-testid="open-banner">
          {demo.banner}
        </aside>
      )}
      <header className="topbar">
        <Brand sub={demo?.orgName} />
        <Button tone="primary" isDisabled={!demo || starting} onPress={() => void startInstant()} data-testid="start-instant">
          <Video aria-hidden size={18} />
          {starting ? 'Starting…' : 'Start an instant visit'}
        </Button>
      </header>
      <main className="console">
        <div className="console-head">
          <h1>Today</h1>
          <p className="lead">{formatDay(new Date())}</p>
        </div>
        {startProblem && <ProblemNotice problem={startProblem} testId="start-problem" />}
        {problem && (
          <ProblemNotice
            problem={problem}
            testId="day-problem"
            actions={
              <Button size="small" onPress={refresh} data-testid="day-retry">
                Try again now
              </Button>
            }
          />
        )}
        {problem && appointments && (
          <p className="stale" data-testid="day-stale">
            The list below is from before this error and may be out of date.
          </p>
        )}
        {appointments === undefined ? (
          !problem && <Skeleton />
        ) : appointments.length === 0 ? (
          <Empty />
        ) : (
          <ul className="day" data-testid="appointments" aria-label="Appointments of today">
            {appointments.map((appointment) => (
              <Row key={appointment.id} appointment={appointment} onOpen={() => setOpenId(appointment.id)} />
            ))}
          </ul>
        )}
      </main>
      {demo && (
        <AppointmentDrawer
          orgId={demo.orgId}
          appointment={open}
          onClose={() => setOpenId(undefined)}
          onChanged={refresh}
          onEnter={(path) => navigate(path)}
        />
      )}
    </>
  );
}

function Row({ appointment, onOpen }: { appointment: Appointment; onOpen: () => void }) {
  const patient = appointment.patient?.name ?? 'No patient';
  return (
    <li>
      <Button
        className="row"
        onPress={onOpen}
        data-testid="appointment"
        data-appointment={appointment.id}
        data-status={appointment.visit?.status ?? 'none'}
        aria-haspopup="dialog"
      >
        <span className="row-time">
          <time dateTime={appointment.start}>{formatTime(appointment.start)}</time>
          <span className="fine-print">to {formatTime(appointment.end)}</span>
        </span>
        <span className="row-who">
          <span className="row-patient" data-testid="appointment-patient">
            {patient}
          </span>
          {appointment.reason && <span className="row-reason">{appointment.reason}</span>}
        </span>
        <span className="row-practitioner">
          <Stethoscope aria-hidden size={16} />
          {appointment.practitioner?.name ?? 'No practitioner'}
        </span>
        <StatusBadge appointment={appointment} />
      </Button>
    </li>
  );
}

function Skeleton() {
  return (
    <div className="day" role="status" data-testid="appointments-loading">
      <span className="sr-only">Loading the appointments</span>
      {[0, 1, 2, 3].map((line) => (
        <span key={line} className="row skeleton" aria-hidden />
      ))}
    </div>
  );
}

function Empty() {
  return (
    <div className="card empty" data-testid="appointments-empty">
      <CalendarDays aria-hidden size={32} />
      <h2>No appointments today</h2>
      <p>Appointments appear here as soon as the record system sends them. For somebody without one, start an instant visit.</p>
    </div>
  );
}
