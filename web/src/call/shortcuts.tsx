import { useEffect, useRef } from 'react';
import { Dialog, Heading, Modal, ModalOverlay } from 'react-aria-components';
import { Button } from '../ui/button';

/** Every shortcut has a modifier: single letters would catch what people type (WCAG 2.1.4). */
export type Shortcut = 'mic' | 'camera' | 'screen' | 'hand' | 'chat' | 'people' | 'layout' | 'help';

const keys: Record<Shortcut, { code: string; shown: string; does: string }> = {
  mic: { code: 'KeyA', shown: 'A', does: 'Microphone on or off' },
  camera: { code: 'KeyV', shown: 'V', does: 'Camera on or off' },
  screen: { code: 'KeyS', shown: 'S', does: 'Share the screen, or stop' },
  hand: { code: 'KeyY', shown: 'Y', does: 'Raise or lower the hand' },
  chat: { code: 'KeyH', shown: 'H', does: 'Open or close the chat' },
  people: { code: 'KeyU', shown: 'U', does: 'Open or close the list of people' },
  layout: { code: 'KeyL', shown: 'L', does: 'Side by side, or the others large' },
  help: { code: 'Slash', shown: '/', does: 'Show this list' },
};

export interface KeyPress {
  code: string;
  altKey: boolean;
  ctrlKey: boolean;
  metaKey: boolean;
  shiftKey: boolean;
  repeat: boolean;
}

/** The shortcut of a key press. By position (`code`), because Option changes the letter on a Mac. */
export function shortcutOf({ code, altKey, ctrlKey, metaKey, shiftKey, repeat }: KeyPress): Shortcut | undefined {
  if (!altKey || ctrlKey || metaKey || shiftKey || repeat) return undefined;
  return (Object.keys(keys) as Shortcut[]).find((name) => keys[name].code === code);
}

/** Runs what a shortcut stands for. A missing entry means that it is not available now; a dialog takes all keys. */
export function useShortcuts(actions: Partial<Record<Shortcut, () => void>>): void {
  const latest = useRef(actions);
  latest.current = actions;
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      const name = shortcutOf(event);
      const action = name && latest.current[name];
      if (!action || document.querySelector('[role="dialog"], [role="alertdialog"]')) return;
      event.preventDefault();
      action();
    };
    window.addEventListener('keydown', onKey);
    return () => window.removeEventListener('keydown', onKey);
  }, []);
}

export function ShortcutHelp({ isOpen, onClose }: { isOpen: boolean; onClose: () => void }) {
  const modifier = /Mac|iPhone|iPad/.test(navigator.userAgent) ? 'Option' : 'Alt';
  return (
    <ModalOverlay className="overlay" isOpen={isOpen} onOpenChange={(open) => !open && onClose()} isDismissable>
      <Modal className="modal">
        <Dialog className="dialog" data-testid="shortcut-help">
          <Heading slot="title" className="dialog-heading">
            Keyboard shortcuts
          </Heading>
          <dl className="shortcuts">
            {Object.values(keys).map(({ code, shown, does }) => (
              <div key={code}>
                <dt>
                  <kbd>{modifier}</kbd> + <kbd>{shown}</kbd>
                </dt>
                <dd>{does}</dd>
              </div>
            ))}
          </dl>
          <div className="dialog-actions">
            <Button tone="primary" onPress={onClose} data-testid="shortcut-help-close">
              Close
            </Button>
          </div>
        </Dialog>
      </Modal>
    </ModalOverlay>
  );
}
