import type { Appointment } from '../api/types';
import { statusOf } from './status';

export function StatusBadge({ appointment }: { appointment: Pick<Appointment, 'status' | 'visit'> }) {
  const { label, tone } = statusOf(appointment);
  return (
    <span className={`status status-${tone}`} data-testid="status-badge" data-tone={tone}>
      <span className="status-dot" aria-hidden />
      {label}
    </span>
  );
}
