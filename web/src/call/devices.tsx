import { DeviceType, useDevices } from '@100mslive/react-sdk';
import { Camera, Keyboard, Mic, Settings, Volume2 } from 'lucide-react';
import { useState } from 'react';
import { Dialog, DialogTrigger, Heading, Popover } from 'react-aria-components';
import { canChooseSpeaker, sortDevices } from '../media/devices';
import { loadChoices, saveChoices } from '../media/preferences';
import { Button } from '../ui/button';
import { Picker } from '../ui/picker';

export function DeviceMenu({ onHelp }: { onHelp: () => void }) {
  const [problem, setProblem] = useState<string>();
  const { allDevices, selectedDeviceIDs, updateDevice } = useDevices((error) => setProblem(error.message));
  const lists = sortDevices([
    ...(allDevices.videoInput ?? []),
    ...(allDevices.audioInput ?? []),
    ...(allDevices.audioOutput ?? []),
  ]);
  const choose = (deviceType: DeviceType, deviceId: string) => {
    setProblem(undefined);
    void updateDevice({ deviceType, deviceId }).then(() => {
      const key =
        deviceType === DeviceType.videoInput ? 'cameraId' : deviceType === DeviceType.audioInput ? 'microphoneId' : 'speakerId';
      saveChoices({ ...loadChoices(), [key]: deviceId });
    });
  };
  return (
    <DialogTrigger>
      <Button className="control" aria-label="Settings: camera, microphone and speaker" data-testid="control-devices">
        <Settings aria-hidden />
        <span className="control-word">Settings</span>
      </Button>
      <Popover className="popover popover-wide" placement="top">
        <Dialog className="popover-dialog" data-testid="device-menu">
          {({ close }) => (
            <>
              <Heading slot="title" className="popover-heading">
                Devices
              </Heading>
              {problem && (
                <p className="field-error" role="alert">
                  {problem}
                </p>
              )}
              <div className="stack">
                <Picker
                  label="Camera"
                  icon={<Camera aria-hidden size={18} />}
                  options={lists.cameras}
                  value={selectedDeviceIDs.videoInput}
                  onChange={(id) => choose(DeviceType.videoInput, id)}
                  testId="device-camera"
                  empty="No camera"
                />
                <Picker
                  label="Microphone"
                  icon={<Mic aria-hidden size={18} />}
                  options={lists.microphones}
                  value={selectedDeviceIDs.audioInput}
                  onChange={(id) => choose(DeviceType.audioInput, id)}
                  testId="device-microphone"
                  empty="No microphone"
                />
                {canChooseSpeaker() && (
                  <Picker
                    label="Speaker"
                    icon={<Volume2 aria-hidden size={18} />}
                    options={lists.speakers}
                    value={selectedDeviceIDs.audioOutput}
                    onChange={(id) => choose(DeviceType.audioOutput, id)}
                    testId="device-speaker"
                    empty="Default speaker"
                  />
                )}
                <Button
                  onPress={() => {
                    close();
                    onHelp();
                  }}
                  data-testid="shortcut-help-open"
                >
                  <Keyboard aria-hidden size={18} />
                  Keyboard shortcuts
                </Button>
              </div>
            </>
          )}
        </Dialog>
      </Popover>
    </DialogTrigger>
  );
}
