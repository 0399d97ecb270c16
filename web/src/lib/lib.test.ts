import { describe, expect, it } from 'vitest';
import { httpsTwin, inviteFromFragment, isCode, meetingPath, normaliseCode, parseMeetingLink } from './links';
import { dayRange, formatDayTime, formatDuration, formatTime, minutesBetween } from './time';
import { isTokenFresh } from './token';

describe('codes and links', () => {
  it('reads codes as people type them', () => {
    expect(normaliseCode(' k7m2-qx9 rtd')).toBe('K7M2QX9RTD');
    expect(isCode('K7M2QX9RTD')).toBe(true);
    expect(isCode('K7M2')).toBe(false);
    expect(isCode('K7M2QX9RTD123')).toBe(false);
    expect(meetingPath('k7m2-qx9rtd')).toBe('/meeting/K7M2QX9RTD');
  });

  it.each([
    ['#i=tvi_AbC123-_xyz', 'tvi_AbC123-_xyz'],
    ['i=tvi_AbC123', 'tvi_AbC123'],
    ['#x=1&i=tvi_AbC123', 'tvi_AbC123'],
    ['', undefined],
    ['#i=', undefined],
    ['#i=short', undefined],
    ['#i=<script>alert(1)</script>', undefined],
    [`#i=${'a'.repeat(257)}`, undefined],
    ['#section-2', undefined],
  ])('reads the invite of fragment %s', (fragment, expected) => {
    expect(inviteFromFragment(fragment)).toBe(expected);
  });

  it.each([
    ['http://localhost:3000/meeting/K7M2QX9RTD#i=tvi_AbC123xyz', { code: 'K7M2QX9RTD', invite: 'tvi_AbC123xyz' }],
    ['http://localhost:3000/meeting/k7m2qx9rtd', { code: 'K7M2QX9RTD', invite: undefined }],
    ['/meeting/K7M2QX9RTD/', { code: 'K7M2QX9RTD', invite: undefined }],
    ['http://localhost:3000/join/K7M2QX9RTD', undefined],
    ['http://localhost:3000/meeting/', undefined],
    ['http://localhost:3000/meeting/%zz', undefined],
    ['http://localhost:3000/meeting/a%2Fb', undefined],
    ['http://[bad', undefined],
  ])('takes %s apart', (link, expected) => {
    expect(parseMeetingLink(link)).toEqual(expected);
  });

  it('offers the https twin without the secret', () => {
    expect(httpsTwin('http://clinic.example/meeting/K7M2QX9RTD#i=tvi_secret00')).toBe(
      'https://clinic.example/meeting/K7M2QX9RTD',
    );
  });
});

describe('time', () => {
  it('spans the local day, also when clocks change', () => {
    const { from, to } = dayRange(new Date(2026, 2, 2, 15, 30));
    expect(new Date(from).getHours()).toBe(0);
    expect(new Date(to).getHours()).toBe(0);
    expect(new Date(to).getDate()).toBe(3);
    expect(from.endsWith('Z') && to.endsWith('Z')).toBe(true);
  });

  it('formats in the zone asked for, and survives nonsense', () => {
    expect(formatTime('2026-03-02T09:05:00.000Z', 'en-GB', 'UTC')).toBe('09:05');
    expect(formatTime('2026-03-02T09:05:00.000Z', 'en-GB', 'Asia/Kolkata')).toBe('14:35');
    expect(formatTime('soon')).toBe('–');
    expect(formatDayTime('2026-03-02T09:05:00.000Z', 'en-GB', 'UTC')).toContain('Monday');
    expect(formatDayTime('')).toBe('–');
  });

  it.each([
    [0, '0:00'],
    [-5000, '0:00'],
    [65_000, '1:05'],
    [3_661_999, '1:01:01'],
    [36_000_000, '10:00:00'],
  ])('writes %d ms as %s', (ms, text) => {
    expect(formatDuration(ms)).toBe(text);
  });

  it('counts minutes only where there are some', () => {
    expect(minutesBetween('2026-03-02T09:00:00Z', '2026-03-02T09:30:00Z')).toBe(30);
    expect(minutesBetween('2026-03-02T09:30:00Z', '2026-03-02T09:00:00Z')).toBeUndefined();
    expect(minutesBetween('x', 'y')).toBeUndefined();
  });
});

describe('media token', () => {
  const token = (claims: unknown) => `h.${btoa(JSON.stringify(claims)).replace(/=+$/, '')}.s`;
  const now = 1_790_000_000_000;
  it('is used again only while it lives', () => {
    expect(isTokenFresh(token({ exp: now / 1000 + 120 }), now)).toBe(true);
    expect(isTokenFresh(token({ exp: now / 1000 + 20 }), now)).toBe(false);
    expect(isTokenFresh(token({ exp: now / 1000 - 1 }), now)).toBe(false);
  });
  it.each(['', 'a', 'a.b.c', token({}), token({ exp: 'tomorrow' }), token(null)])('distrusts %s', (bad) => {
    expect(isTokenFresh(bad, now)).toBe(false);
  });
});
