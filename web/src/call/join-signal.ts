import { HMSNotificationTypes, useHMSNotifications } from '@100mslive/react-sdk';
import { useEffect } from 'react';

/** Two soft notes, made on the spot. A browser that keeps sound from the page only loses the chime. */
function chime(): void {
  const context = new AudioContext();
  if (context.state !== 'running') {
    void context.close();
    return;
  }
  const gain = context.createGain();
  gain.gain.value = 0.08;
  gain.connect(context.destination);
  [587, 880].forEach((hertz, index) => {
    const note = context.createOscillator();
    note.frequency.value = hertz;
    note.connect(gain);
    note.start(context.currentTime + index * 0.16);
    note.stop(context.currentTime + index * 0.16 + 0.14);
    if (index === 1) note.onended = () => void context.close();
  });
}

/** Somebody joined: a sound, and, while the tab is in the background, their name in its title. */
export function useJoinSignal(): void {
  const joined = useHMSNotifications(HMSNotificationTypes.PEER_JOINED);
  useEffect(() => {
    if (!joined || joined.data.isLocal) return;
    chime();
    if (!document.hidden) return;
    const before = document.title;
    document.title = `● ${joined.data.name} joined`;
    const back = () => {
      if (document.hidden) return;
      document.title = before;
      document.removeEventListener('visibilitychange', back);
    };
    document.addEventListener('visibilitychange', back);
    return () => {
      document.title = before;
      document.removeEventListener('visibilitychange', back);
    };
  }, [joined]);
}
