import { call, newKey } from './client';
import type { Appointment, DemoInfo, EndAnswer, JoinAnswer, LobbyVisit, Visit } from './types';

const base = '/api/virtual-meetings';
const id = encodeURIComponent;

export const getDemo = (signal?: AbortSignal) => call<DemoInfo>('/api/demo', { signal });

export async function listAppointments(orgId: string, from: string, to: string, signal?: AbortSignal): Promise<Appointment[]> {
  const query = new URLSearchParams({ from, to });
  const page = await call<{ data: Appointment[] }>(`/api/appointments?${query.toString()}`, { orgId, signal });
  return page.data;
}

export const createForAppointment = (orgId: string, appointmentId: string, reopen = false) =>
  call<Visit>(`${base}/appointment/${id(appointmentId)}`, {
    method: 'POST',
    orgId,
    body: reopen ? { reopen: true } : {},
    idempotencyKey: newKey(),
  });

export const createInstant = (orgId: string) =>
  call<Visit>(`${base}/instant`, { method: 'POST', orgId, body: {}, idempotencyKey: newKey() });

export const getVisit = (orgId: string, visitId: string, signal?: AbortSignal) =>
  call<Visit>(`${base}/${id(visitId)}`, { orgId, signal });

export const endVisit = (orgId: string, visitId: string, reason?: string) =>
  call<EndAnswer>(`${base}/${id(visitId)}/end`, {
    method: 'POST',
    orgId,
    body: reason ? { reason } : {},
    idempotencyKey: newKey(),
  });

export const newHostLink = (orgId: string, visitId: string, practitionerId: string) =>
  call<{ hostLink: string }>(`${base}/${id(visitId)}/host-link`, { method: 'POST', orgId, body: { practitionerId } });

export const lookUp = async (code: string, signal?: AbortSignal): Promise<LobbyVisit> => {
  const answer = await call<LobbyVisit | { visit: LobbyVisit }>(`${base}/code/${id(code)}`, { signal });
  return 'visit' in answer ? answer.visit : answer;
};

export const join = (code: string, displayName: string, invite?: string) =>
  call<JoinAnswer>(`${base}/join/${id(code)}`, {
    method: 'POST',
    body: invite ? { displayName, invite } : { displayName },
  });

/** A new ticket and media token for the participant the ticket names, in the role they have by now. */
export const refresh = (ticket: string) => call<JoinAnswer>(`${base}/participants/me/refresh`, { method: 'POST', ticket });

export const leave = (ticket: string) => call<void>(`${base}/participants/me/leave`, { method: 'POST', ticket, keepalive: true });
