import type { Appointment } from '../api/types';

export type Tone = 'neutral' | 'ready' | 'attention' | 'live' | 'done' | 'bad';

export interface StatusWords {
  label: string;
  tone: Tone;
}

/** The badge of an appointment, from what the server said and nothing else. */
export function statusOf(appointment: Pick<Appointment, 'status' | 'visit'>): StatusWords {
  const { visit } = appointment;
  if (!visit) {
    switch (appointment.status) {
      case 'cancelled':
        return { label: 'Cancelled', tone: 'done' };
      case 'noshow':
        return { label: 'Did not come', tone: 'bad' };
      case 'fulfilled':
        return { label: 'Done', tone: 'done' };
      default:
        return { label: 'Booked', tone: 'neutral' };
    }
  }
  switch (visit.status) {
    case 'scheduled':
      return { label: 'Link ready', tone: 'ready' };
    case 'waiting':
      if (visit.presence.waiting > 0 || (visit.presence.hosts === 0 && visit.presence.admitted > 0)) {
        return { label: 'Patient is waiting', tone: 'attention' };
      }
      return visit.presence.hosts > 0 ? { label: 'Clinician is in', tone: 'ready' } : { label: 'Opened', tone: 'ready' };
    case 'active':
      return visit.pausedSince ? { label: 'Paused', tone: 'attention' } : { label: 'In visit', tone: 'live' };
    case 'ended':
      return { label: 'Done', tone: 'done' };
    case 'cancelled':
      return { label: 'Visit cancelled', tone: 'done' };
    case 'no_show':
      return { label: 'Did not come', tone: 'bad' };
  }
}

export const isOpen = (appointment: Pick<Appointment, 'visit'>): boolean =>
  appointment.visit !== null && ['scheduled', 'waiting', 'active'].includes(appointment.visit.status);

/** "1 clinician, 2 in the visit, 1 waiting", or that nobody is there. */
export function presenceWords({ hosts, admitted, waiting }: { hosts: number; admitted: number; waiting: number }): string {
  const parts = [
    hosts > 0 && `${hosts} ${hosts === 1 ? 'clinician' : 'clinicians'}`,
    admitted > 0 && `${admitted} ${admitted === 1 ? 'patient or guest' : 'patients and guests'}`,
    waiting > 0 && `${waiting} waiting to come in`,
  ].filter((part): part is string => typeof part === 'string');
  return parts.length > 0 ? parts.join(', ') : 'Nobody is in the room';
}
