import type { ReactNode } from 'react';
import { Dialog, Heading, Modal, ModalOverlay } from 'react-aria-components';
import { Button } from './button';

export interface ConfirmProps {
  isOpen: boolean;
  heading: string;
  children: ReactNode;
  action: string;
  busy?: boolean;
  onConfirm: () => void;
  onCancel: () => void;
  testId: string;
}

/** A question before something that cannot be undone. */
export function Confirm({ isOpen, heading, children, action, busy, onConfirm, onCancel, testId }: ConfirmProps) {
  return (
    <ModalOverlay className="overlay" isOpen={isOpen} onOpenChange={(open) => !open && !busy && onCancel()} isDismissable={!busy}>
      <Modal className="modal">
        <Dialog role="alertdialog" className="dialog" data-testid={testId}>
          <Heading slot="title" className="dialog-heading">
            {heading}
          </Heading>
          <div className="dialog-body">{children}</div>
          <div className="dialog-actions">
            <Button onPress={onCancel} isDisabled={busy} data-testid={`${testId}-cancel`}>
              Cancel
            </Button>
            <Button tone="danger" onPress={onConfirm} isDisabled={busy} data-testid={`${testId}-confirm`}>
              {busy ? 'One moment…' : action}
            </Button>
          </div>
        </Dialog>
      </Modal>
    </ModalOverlay>
  );
}
