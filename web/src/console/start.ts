import { ProblemError } from '../api/problem';
import type { Appointment, Visit } from '../api/types';
import { createForAppointment, createInstant, newHostLink } from '../api/visits';
import { meetingPath, parseMeetingLink } from '../lib/links';
import { handOver } from '../visit/session';
import { isOpen } from './status';

/** Takes a host link apart, keeps its secret in memory and answers the path to navigate to. */
function enter(orgId: string, visit: Visit, hostLink: string, displayName: string): string {
  const parsed = parseMeetingLink(hostLink);
  if (!parsed?.invite) {
    throw new ProblemError({
      code: 'host_link_unreadable',
      status: 0,
      title: 'The server gave a host link this page cannot read',
      remedy: 'Server and web app may be of different versions. Reload the page and try again.',
    });
  }
  handOver(parsed.code, {
    invite: parsed.invite,
    displayName,
    staff: { orgId, visitId: visit.id, publicLink: visit.publicLink },
  });
  return meetingPath(parsed.code);
}

/** Opens the visit as its practitioner, making a new host link: the first one was shown only once. */
async function rejoin(orgId: string, visit: Visit, practitionerId: string | undefined, displayName: string): Promise<string> {
  const host = visit.hostPractitionerId ?? practitionerId;
  if (!host) {
    throw new ProblemError({
      code: 'no_practitioner',
      status: 0,
      title: 'This visit has no practitioner',
      detail: 'Only a practitioner can open it as host.',
      remedy: 'Add a practitioner to the appointment, then start again.',
    });
  }
  const { hostLink } = await newHostLink(orgId, visit.id, host);
  return enter(orgId, visit, hostLink, displayName);
}

/** Creates the visit of an appointment, or opens the one it has. Answers the path of the visit page. */
export async function startVisit(orgId: string, appointment: Appointment): Promise<string> {
  const name = appointment.practitioner?.name ?? 'Clinician';
  if (appointment.visit && isOpen(appointment)) return rejoin(orgId, appointment.visit, appointment.practitioner?.id, name);
  const visit = await createForAppointment(orgId, appointment.id, appointment.visit !== null);
  return visit.hostLink ? enter(orgId, visit, visit.hostLink, name) : rejoin(orgId, visit, appointment.practitioner?.id, name);
}

export async function startInstantVisit(orgId: string, displayName: string): Promise<string> {
  const visit = await createInstant(orgId);
  return visit.hostLink ? enter(orgId, visit, visit.hostLink, displayName) : rejoin(orgId, visit, undefined, displayName);
}
