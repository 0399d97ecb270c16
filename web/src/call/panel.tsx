import { X } from 'lucide-react';
import { useId, type ReactNode } from 'react';
import { Button } from '../ui/button';

/** A panel beside the picture (over it on a phone). Escape closes it; the room puts the focus back. */
export function Panel({
  title,
  testId,
  onClose,
  children,
}: {
  title: string;
  testId: string;
  onClose: () => void;
  children: ReactNode;
}) {
  const id = useId();
  return (
    // Escape is a shortcut for the close button inside, which is the reachable control.
    // eslint-disable-next-line jsx-a11y/no-noninteractive-element-interactions
    <aside
      className="panel"
      aria-labelledby={id}
      data-testid={testId}
      onKeyDown={(event) => {
        if (event.key === 'Escape') onClose();
      }}
    >
      <header className="panel-head">
        <h2 id={id}>{title}</h2>
        <Button
          className="icon-button"
          aria-label={`Close ${title.toLowerCase()}`}
          onPress={onClose}
          data-testid={`${testId}-close`}
        >
          <X aria-hidden size={20} />
        </Button>
      </header>
      {children}
    </aside>
  );
}
