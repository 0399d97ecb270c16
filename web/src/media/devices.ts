import { useEffect, useState } from 'react';

export interface DeviceOption {
  id: string;
  label: string;
}

export interface DeviceLists {
  cameras: DeviceOption[];
  microphones: DeviceOption[];
  speakers: DeviceOption[];
}

const none: DeviceLists = { cameras: [], microphones: [], speakers: [] };

/** True where a page may choose the loudspeaker (not in Safari and older Firefox). */
export const canChooseSpeaker = (): boolean => 'setSinkId' in HTMLMediaElement.prototype;

export function sortDevices(devices: Pick<MediaDeviceInfo, 'deviceId' | 'kind' | 'label'>[]): DeviceLists {
  const pick = (kind: MediaDeviceKind, fallback: string): DeviceOption[] =>
    devices
      .filter((device) => device.kind === kind && device.deviceId !== '')
      .map((device, index) => ({ id: device.deviceId, label: device.label || `${fallback} ${index + 1}` }));
  return {
    cameras: pick('videoinput', 'Camera'),
    microphones: pick('audioinput', 'Microphone'),
    speakers: pick('audiooutput', 'Speaker'),
  };
}

/** The devices of this machine. `revision` re-reads them: names appear only after permission was given. */
export function useDeviceLists(revision: unknown): DeviceLists {
  const [lists, setLists] = useState(none);
  useEffect(() => {
    const devices = navigator.mediaDevices;
    if (!devices?.enumerateDevices) return;
    let current = true;
    const read = () => {
      devices.enumerateDevices().then(
        (found) => {
          if (current) setLists(sortDevices(found));
        },
        () => {
          if (current) setLists(none);
        },
      );
    };
    read();
    devices.addEventListener('devicechange', read);
    return () => {
      current = false;
      devices.removeEventListener('devicechange', read);
    };
  }, [revision]);
  return lists;
}
