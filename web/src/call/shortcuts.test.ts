import { describe, expect, it } from 'vitest';
import { shortcutOf } from './shortcuts';

const press = { code: 'KeyA', altKey: true, ctrlKey: false, metaKey: false, shiftKey: false, repeat: false };

describe('shortcuts', () => {
  it('are Alt and one key', () => {
    expect(shortcutOf(press)).toBe('mic');
    expect(shortcutOf({ ...press, code: 'Slash' })).toBe('help');
  });
  it('leave plain typing, other combinations, other keys and a held key alone', () => {
    for (const other of [
      { altKey: false },
      { ctrlKey: true },
      { metaKey: true },
      { shiftKey: true },
      { repeat: true },
      { code: 'KeyQ' },
    ])
      expect(shortcutOf({ ...press, ...other })).toBeUndefined();
  });
});
