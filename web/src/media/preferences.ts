/** What a person chose for their devices. Kept in localStorage, on this device only; never sent anywhere. */
export interface MediaChoices {
  microphone: boolean;
  camera: boolean;
  microphoneId?: string;
  cameraId?: string;
  speakerId?: string;
}

const key = 'televisit.media';
export const defaultChoices: MediaChoices = { microphone: true, camera: true };

const optional = (value: unknown): string | undefined => (typeof value === 'string' && value !== '' ? value : undefined);

export function readChoices(text: string | null): MediaChoices {
  if (!text) return defaultChoices;
  try {
    const stored = JSON.parse(text) as Record<string, unknown>;
    return {
      microphone: stored['microphone'] !== false,
      camera: stored['camera'] !== false,
      microphoneId: optional(stored['microphoneId']),
      cameraId: optional(stored['cameraId']),
      speakerId: optional(stored['speakerId']),
    };
  } catch {
    return defaultChoices;
  }
}

export function loadChoices(): MediaChoices {
  try {
    return readChoices(localStorage.getItem(key));
  } catch {
    return defaultChoices;
  }
}

export function saveChoices(choices: MediaChoices): void {
  try {
    localStorage.setItem(key, JSON.stringify(choices));
  } catch {
    // A browser that refuses storage only loses the memory of the choice.
  }
}
