/** What the server answers, as far as these pages read it (visit-api §3.5). */

export interface DemoInfo {
  orgId: string;
  orgName: string;
  integrationId: string;
  banner: string;
}

export type VisitStatus = 'scheduled' | 'waiting' | 'active' | 'ended' | 'cancelled' | 'no_show';

export interface Presence {
  hosts: number;
  admitted: number;
  waiting: number;
}

export interface Visit {
  id: string;
  code: string;
  status: VisitStatus;
  statusReason?: string | null;
  displayName: string;
  appointmentId?: string | null;
  hostPractitionerId?: string | null;
  startedAt?: string | null;
  endedAt?: string | null;
  pausedSince?: string | null;
  waitingSince?: string | null;
  publicLink: string;
  hostLink?: string | null;
  presence: Presence;
  warnings?: string[];
}

export interface Person {
  id: string;
  name: string;
}

export interface Appointment {
  id: string;
  start: string;
  end: string;
  status: string;
  reason?: string | null;
  patient: Person | null;
  practitioner: Person | null;
  visit: Visit | null;
}

export interface LobbyVisit {
  code: string;
  status: VisitStatus;
  orgName: string;
  displayName: string;
  scheduledStart?: string | null;
  joinOpensAt?: string | null;
  hostPresent?: boolean;
  waitingRoom?: boolean;
  features?: { chat?: boolean; screenShare?: boolean };
}

export type JoinNext = 'consent' | 'ready' | 'wait' | 'media' | 'closed';

export interface JoinAnswer {
  visit: LobbyVisit;
  participantId: string;
  state: string;
  role: string | null;
  next: JoinNext;
  ticket: string | null;
  authToken: string | null;
  initEndpoint: string | null;
}

export interface EndAnswer {
  success: boolean;
  message?: string;
  roomState?: string;
  alreadyEnded?: boolean;
}
