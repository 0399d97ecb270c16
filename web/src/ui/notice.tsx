import { CircleAlert, Info, TriangleAlert } from 'lucide-react';
import type { ReactNode } from 'react';
import type { Problem } from '../api/problem';

export interface NoticeProps {
  tone: 'info' | 'warning' | 'error';
  heading?: ReactNode;
  children?: ReactNode;
  actions?: ReactNode;
  testId?: string;
  /** Spoken when it appears. Off where the same text is announced elsewhere. */
  announce?: boolean;
}

const icons = { info: Info, warning: TriangleAlert, error: CircleAlert };

export function Notice({ tone, heading, children, actions, testId, announce = true }: NoticeProps) {
  const Icon = icons[tone];
  return (
    <div
      className={`notice notice-${tone}`}
      role={announce ? (tone === 'error' ? 'alert' : 'status') : undefined}
      data-testid={testId}
    >
      <Icon aria-hidden className="notice-icon" />
      <div className="notice-text">
        {heading && <p className="notice-heading">{heading}</p>}
        {children && <div>{children}</div>}
        {actions && <div className="notice-actions">{actions}</div>}
      </div>
    </div>
  );
}

/** A problem as the server stated it: what, why, what to do, and the id under which the server logged it. */
export function ProblemNotice({
  problem,
  actions,
  testId = 'problem',
}: {
  problem: Problem;
  actions?: ReactNode;
  testId?: string;
}) {
  return (
    <Notice tone="error" heading={problem.title} actions={actions} testId={testId}>
      {problem.detail && <p>{problem.detail}</p>}
      {problem.remedy && <p data-testid="problem-remedy">{problem.remedy}</p>}
      <p className="fine-print">
        <code data-testid="problem-code">{problem.code}</code>
        {problem.requestId && (
          <>
            {' · request '}
            <code data-testid="problem-request-id">{problem.requestId}</code>
          </>
        )}
      </p>
    </Notice>
  );
}
